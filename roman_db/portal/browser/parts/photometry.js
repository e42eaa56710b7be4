// Fluxes in nJy as microjansky or AB magnitudes (Oke & Gunn 1983, ApJ 266, 713): 31.4 is that of 1 nJy.

export const AB_OF_NJY = 2.5 * Math.log10(3631e9);

export function converted(flux, error, unit) {
  if (unit === "uJy")
    return [
      flux.map((one) => (one === null ? null : one / 1000)),
      error.map((one) => (one === null ? null : one / 1000)),
    ];
  const isSeen = (one) => one !== null && one > 0;
  return [
    flux.map((one) => (isSeen(one) ? AB_OF_NJY - 2.5 * Math.log10(one) : null)),
    error.map((one, i) => (isSeen(flux[i]) && one !== null ? (1.0857362047581296 * one) / flux[i] : null)),
  ];
}

// Days that are taken off times so that ticks have few digits.
export const OFFSET = 2450000;
export const TIME_LABEL = "BJD (TDB) − 2 450 000 [d]";

export function flagNames(flags, known) {
  const found = known.filter((one) => (flags >> one.bit) & 1).map((one) => one.name);
  return found.length ? found.join(", ") : "none";
}
