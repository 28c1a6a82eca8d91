// Preloaded into a measured process: writes its peak memory, in KiB, to the file that K3S_NETWORKING_PEAK names.
"use strict";
process.on("exit", () => {
  require("node:fs").writeFileSync(process.env.K3S_NETWORKING_PEAK, String(process.resourceUsage().maxRSS));
});
