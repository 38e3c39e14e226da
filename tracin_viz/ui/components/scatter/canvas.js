// The same points without WebGL: squares written into a picture, slower and plainer.

function canvasPainter(canvas) {
  const context = canvas.getContext("2d");
  let places = new Float32Array(0), codes = new Uint8Array(0), chosen = new Uint8Array(0), styles = [];
  const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  return {
    plain: true,
    places(array) { places = array; },
    codes(array) { codes = array; },
    chosen(array) { chosen = array; },
    styles(list) { styles = list; },
    draw(view, size, look) {
      const { width, height } = canvas;
      if (!width || !height) return;
      const picture = context.createImageData(width, height), pixels = new Uint32Array(picture.data.buffer);
      const scale = view.scale * size.ratio;
      const faint = styles.map((one) => packed(one.rgb.map((part, n) => Math.round(0.28 * part + 0.72 * look.paper[n]))));
      const full = styles.map((one) => packed(one.rgb));
      // Grey below, colour above, what is selected on top.
      const passes = look.dim ? [[0, true], [0, false], [1, true], [1, false]] : [[2, true], [2, false]];
      for (const [wanted, plain] of passes) {
        const colours = wanted === 0 ? faint : full;
        const side = Math.max(1, Math.round(look.size * size.ratio * 0.8 * (wanted === 1 ? 1.25 : 1)));
        for (let n = 0; n < places.length / 2; n += look.step) {
          const style = styles[codes[n]];
          if (!style || style.hidden || style.shape < 0 !== plain || (wanted < 2 && chosen[n] !== wanted)) continue;
          const left = Math.round(width / 2 + (places[2 * n] - view.x) * scale - side / 2);
          const top = Math.round(height / 2 - (places[2 * n + 1] - view.y) * scale - side / 2);
          if (!(left >= 0 && top >= 0 && left + side < width && top + side < height)) continue;
          for (let row = top; row < top + side; row++) pixels.fill(colours[codes[n]], row * width + left, row * width + left + side);
        }
      }
      context.putImageData(picture, 0, 0);
    },
  };
}
