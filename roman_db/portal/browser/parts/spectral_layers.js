// What plots of spectra have beside points and lines: a band of errors, and lines with names.

const FONT = 11;

// Between `low` and `high` over x; null in either ends a piece.
export function drawBand(plot, ctx, layer) {
  const path = new Path2D();
  const x = (i) => plot.valToPos(layer.x[i], "x", true),
    y = (value) => plot.valToPos(value, "y", true);
  let first = 0;
  const close = (end) => {
    if (end - first > 1) {
      path.moveTo(x(first), y(layer.high[first]));
      for (let i = first + 1; i < end; i++) path.lineTo(x(i), y(layer.high[i]));
      for (let i = end - 1; i >= first; i--) path.lineTo(x(i), y(layer.low[i]));
      path.closePath();
    }
    first = end + 1;
  };
  for (let i = 0; i < layer.x.length; i++) if (layer.low[i] === null) close(i);
  close(layer.x.length);
  ctx.globalAlpha = 0.25;
  ctx.fill(path);
  ctx.globalAlpha = 1;
}

// Vertical lines at x with their names at the top, those that would meet below each other.
export function drawMarks(plot, ctx, layer) {
  const ratio = devicePixelRatio,
    { left, top, width, height } = plot.bbox,
    rows = [];
  ctx.font = `${FONT * ratio}px system-ui`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 4 * ratio]);
  const order = layer.x.map((_, i) => i).sort((a, b) => layer.x[a] - layer.x[b]);
  for (const i of order) {
    const at = plot.valToPos(layer.x[i], "x", true);
    if (at < left || at > left + width) continue;
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
    const wide = ctx.measureText(layer.names[i]).width + 6 * ratio;
    const begin = at + wide > left + width ? at - wide : at;
    let row = rows.findIndex((end) => end <= begin);
    if (row < 0) row = rows.push(0) - 1;
    rows[row] = begin + wide;
    ctx.fillText(layer.names[i], begin + 3 * ratio, top + (2 + row * (FONT + 3)) * ratio);
  }
  ctx.setLineDash([]);
}
