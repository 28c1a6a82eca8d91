/** Generated sections of a text: between `<!-- generated:NAME -->` and `<!-- /generated -->`. */

/** A text with each generated section replaced. A section without its marker, or a marker without its section, is an error. */
export function fillSections(text: string, sections: Readonly<Record<string, () => string>>): string {
  const marker = /(<!-- generated:([\w-]+) -->)[\s\S]*?(<!-- \/generated -->)/gu;
  const seen = new Set<string>();
  const filled = text.replace(marker, (_all, open: string, name: string, close: string) => {
    const section = sections[name];
    if (section === undefined)
      throw new Error(`nothing generates "${name}"; there are: ${Object.keys(sections).join(", ")}`);
    seen.add(name);
    return `${open}\n\n${section()}\n\n${close}`;
  });
  const missing = Object.keys(sections).filter((name) => !seen.has(name));
  if (missing.length > 0)
    throw new Error(`no place for ${missing.map((name) => `<!-- generated:${name} -->`).join(", ")}`);
  return filled;
}
