// Points by WebGL 2: one call draws them all; categories are looked up in a small picture of styles.

const VERTEX = `#version 300 es
in vec2 place; in uint code; in uint chosen;
uniform vec2 middle, stretch; uniform float size; uniform bool dim; uniform vec3 paper;
uniform sampler2D styles;
flat out vec3 colour; flat out int shape; flat out float pixels;
void main() {
  vec4 style = texelFetch(styles, ivec2(int(code & 255u), int(code >> 8u)), 0);
  int kind = int(style.a * 255.0 + 0.5);
  if (kind == 255 || !(abs(place.x) < 1e30 && abs(place.y) < 1e30)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0); gl_PointSize = 1.0; pixels = 1.0; shape = 0; colour = paper; return;
  }
  bool plain = kind >= 16;
  bool faint = dim && chosen == 0u;
  shape = plain ? 0 : kind;
  colour = faint ? mix(style.rgb, paper, 0.72) : style.rgb;
  // Grey below, colour above, what is selected on top, in whatever order the points come; later categories,
  // which are the smaller clusters and the higher scores, over earlier ones.
  float depth = (dim && chosen != 0u ? 0.1 : plain ? 0.7 : 0.4) - 0.0001 * float(min(code, 1000u));
  if (faint) depth += 0.25;
  pixels = size * (plain ? 0.8 : 1.0) * (dim && chosen != 0u ? 1.25 : 1.0);
  gl_Position = vec4((place - middle) * stretch, depth, 1.0);
  gl_PointSize = pixels;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 colour; flat in int shape; flat in float pixels; out vec4 painted;
float cross2(vec2 p) { return min(max(abs(p.x) / 0.36, abs(p.y)), max(abs(p.x), abs(p.y) / 0.36)); }
float triangle(vec2 p) { return max(abs(p.x) * 0.866 + p.y * 0.5, -p.y) / 0.5; }
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * vec2(1.0, -1.0);
  float d = length(p);
  if (pixels >= 6.0) {
    if (shape == 1) d = max(abs(p.x), abs(p.y)) / 0.84;
    else if (shape == 2) d = triangle(p + vec2(0.0, 0.2));
    else if (shape == 3) d = abs(p.x) + abs(p.y);
    else if (shape == 4) d = triangle(vec2(p.x, -p.y) + vec2(0.0, 0.2));
    else if (shape == 5) d = cross2(p);
    else if (shape == 6) d = cross2(vec2(p.x + p.y, p.x - p.y) * 0.7071);
    else if (shape == 7) d = abs(d - 0.66) / 0.3;
  }
  float cover = clamp((1.0 - d) * pixels * 0.5 + 0.5, 0.0, 1.0);
  if (cover < 0.3) discard;
  painted = vec4(colour * cover, cover);
}`;
const HIDDEN = 255;
const PLAIN = 16;

function compiled(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  ["place", "code", "chosen"].forEach((name, number) => gl.bindAttribLocation(program, number, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  return program;
}

// null where WebGL 2 is missing or refuses; the caller then draws by `canvasPainter`.
function webglPainter(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: false, depth: true });
  const program = gl && compiled(gl);
  if (!program) return null;
  const at = (name) => gl.getUniformLocation(program, name);
  const where = Object.fromEntries(["middle", "stretch", "size", "dim", "paper"].map((name) => [name, at(name)]));
  const buffers = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
  const styles = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, styles);
  for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) {
    gl.texParameteri(gl.TEXTURE_2D, name, value);
  }
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  let count = 0, wide = 1;
  const fill = (number, array) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[number]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
  };
  // With a step of k every k-th point is drawn: a coarse picture while the map moves.
  const read = (step) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 8 * step, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[1]);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribIPointer(1, 1, wide === 1 ? gl.UNSIGNED_BYTE : gl.UNSIGNED_SHORT, wide * step, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[2]);
    gl.enableVertexAttribArray(2);
    gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, step, 0);
  };
  return {
    plain: false,
    places(array) { count = array.length / 2; fill(0, array); },
    codes(array) { wide = array.BYTES_PER_ELEMENT; fill(1, array); },
    chosen(array) { fill(2, array); },
    styles(list) {
      const high = Math.ceil(list.length / 256) || 1, texels = new Uint8Array(256 * high * 4);
      list.forEach((one, n) => texels.set([...one.rgb, one.hidden ? HIDDEN : one.shape < 0 ? PLAIN : one.shape], 4 * n));
      gl.bindTexture(gl.TEXTURE_2D, styles);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, high, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    },
    draw(view, size, look) {
      const step = look.step;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniform2f(where.middle, view.x, view.y);
      gl.uniform2f(where.stretch, (2 * view.scale) / size.width, (2 * view.scale) / size.height);
      gl.uniform1f(where.size, look.size * size.ratio);
      gl.uniform1i(where.dim, look.dim ? 1 : 0);
      gl.uniform3f(where.paper, ...look.paper.map((part) => part / 255));
      read(step);
      gl.drawArrays(gl.POINTS, 0, Math.floor(count / step));
    },
  };
}
