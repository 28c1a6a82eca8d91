/** How the state of a component is said. */
import type { ClusterSpec, DisableableComponent } from "../../spec/types";
import type { ComponentStatus } from "../types";

export function on(name: string, why: string): ComponentStatus {
  return { name, enabled: true, why };
}

export function off(name: string, why: string): ComponentStatus {
  return { name, enabled: false, why };
}

/** A component that K3s brings along unless `--disable` names it; `instead` says what is chosen in its place. */
export function packaged(
  { k3s }: ClusterSpec,
  name: DisableableComponent,
  why: string,
  instead = "k3s.disable names it",
): ComponentStatus {
  return k3s.disable.includes(name) ? off(name, `${instead}, on every server`) : on(name, why);
}
