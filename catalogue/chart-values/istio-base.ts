/** The values of chart istioBase 1.30.3, written by `npm run charts`: see shape.ts. */
export const ISTIO_BASE = `
base map
 enableCRDTemplates bool
 enableIstioConfigCRDs bool
 excludedCRDs list
 validationCABundle bool|number|text
 validationFailurePolicy any
 validationURL bool|number|text
compatibilityVersion any
defaultRevision bool|number|text
experimental map
 stableValidationPolicy bool
global map
 enableReaderRBAC bool
 imagePullSecrets any
 istioNamespace bool|number|text
 resourceScope bool|number|text
platform any
profile any
`;
