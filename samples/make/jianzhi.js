// The lesson 剪纸入门：团花 as a function of time: window.draw(seconds) fills the SVG.
//
// Geometry: a square of half side A around O, cut by its eight lines of symmetry into wedges of 45 degrees,
// wedge i between the angles 45i and 45(i+1). Folding three times leaves one wedge of eight layers;
// what is cut there appears eight times, every second one mirrored.

const A = 230;
const RED = "#c8201f";
const PALE = "#efc4b4";
const PAPER = "#faf3e6";
const INK = "#4a2c22";

const rad = (degrees) => (degrees * Math.PI) / 180;
const at = (degrees, r) => [r * A * Math.cos(rad(degrees)), r * A * Math.sin(rad(degrees))];
const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}Z`;
const ease = (x) => (x <= 0 ? 0 : x >= 1 ? 1 : x * x * (3 - 2 * x));
const span = (t, from, to) => Math.max(0, Math.min(1, (t - from) / (to - from)));
// Rises over `soft` seconds after `from`, falls before `to`.
const shown = (t, from, to, soft = 0.6) => ease(span(t, from, from + soft)) * (1 - ease(span(t, to - soft, to)));

// --- the pattern: one wedge, angles 0 (middle of a side) to 45 (corner) ---

// The whole wedge of uncut paper, and the outer contour of the flower.
const WEDGE = [[0, 0], at(0, 1), at(45, Math.SQRT2)];
const contour = () => {
  const points = [[0, 0]];
  for (let a = 0; a <= 45; a += 0.5) {
    const lobe = 0.9 + 0.085 * Math.cos(rad(a * 8));
    const tooth = a > 4 && a < 41 ? 0.014 * Math.abs(Math.sin(rad(a * 24))) : 0;
    points.push(at(a, lobe - tooth));
  }
  return points;
};

// Half a leaf along the fold at `axis` (0 or 45), from r1 to r2, `wide` degrees at its middle.
const half_leaf = (axis, r1, r2, wide, vein = 0) => {
  const side = axis === 0 ? 1 : -1;
  const points = [];
  for (let s = 0; s <= 1.0001; s += 0.05) points.push(at(axis + side * vein * Math.sin(Math.PI * s), r1 + (r2 - r1) * s));
  for (let s = 1; s >= 0; s -= 0.05) points.push(at(axis + side * (vein + wide * Math.sin(Math.PI * Math.sqrt(s))), r1 + (r2 - r1) * s));
  return points;
};
const dot = (degrees, r, size) => {
  const [x, y] = at(degrees, r);
  return Array.from({ length: 24 }, (_, i) => [x + size * Math.cos(rad(i * 15)), y + size * Math.sin(rad(i * 15))]);
};
// A crescent: between two arcs, r1 thick at its middle.
const crescent = (from, to, r, thick, bend) => {
  const points = [];
  for (let s = 0; s <= 1.0001; s += 0.05) points.push(at(from + (to - from) * s, r + bend * Math.sin(Math.PI * s)));
  for (let s = 1; s >= 0; s -= 0.05) points.push(at(from + (to - from) * s, r + (bend - thick) * Math.sin(Math.PI * s)));
  return points;
};
// Saw teeth: small triangles on an arc, pointing outwards.
const tooth = (degrees, r, high, wide) => [at(degrees - wide, r), at(degrees, r + high), at(degrees + wide, r)];

const HOLES = [
  half_leaf(0, 0.1, 0.3, 16),
  half_leaf(45, 0.08, 0.24, 15),
  crescent(10, 35, 0.33, 0.055, 0.05),
  ...[8, 15, 22.5, 30, 37].map((a) => tooth(a, 0.435, 0.07, 2.6)),
  half_leaf(0, 0.5, 0.86, 8, 1.3),
  half_leaf(45, 0.5, 0.86, 8, 1.3),
  dot(22.5, 0.6, 9),
  crescent(14.5, 30.5, 0.68, 0.05, 0.045),
  dot(22.5, 0.765, 4.5),
];

const CUT = `${path(contour())}${HOLES.map((hole) => path(hole)).join("")}`;

// Wedge i: even ones lie as drawn, odd ones mirrored.
const place = (i) => (i % 2 === 0 ? `rotate(${45 * i})` : `rotate(${45 * (i + 1)}) scale(1 -1)`);
const wedges = (list, colour, cut) =>
  list
    .map((i) => {
      const shape = cut ? CUT : path(WEDGE);
      return `<path transform="${place(i)}" d="${shape}" fill="${colour}" fill-rule="evenodd" stroke="${colour}" stroke-width="0.7"/>`;
    })
    .join("");

// Three folds: what stays, what turns over, around which line.
const FOLDS = [
  { stay: [1, 2, 3, 4], turn: [5, 6, 7, 0], axis: 45 },
  { stay: [1, 2], turn: [3, 4], axis: 135 },
  { stay: [1], turn: [2], axis: 90 },
];

// The paper during fold n, `done` 0..1: red inside, so that the pale back shows from then on.
const folding = (n, done, cut) => {
  const { stay, turn, axis } = FOLDS[n];
  const scale = Math.cos(Math.PI * done);
  const over = scale < 0;
  const inside = n === 0 ? RED : PALE;
  const flap = wedges(turn, over ? PALE : inside, cut);
  const shade = over ? 0 : 0.28 * (1 - scale);
  const back = over ? 0.12 * (1 + scale) : 0;
  return `${wedges(stay, inside, cut)}
    <g transform="rotate(${axis}) scale(1 ${scale.toFixed(4)}) rotate(${-axis})">${flap}
      <g opacity="${(shade + back).toFixed(3)}">${wedges(turn, "#3b0d05", cut)}</g></g>
    ${fold_line(axis, done)}`;
};
const fold_line = (axis, done) => {
  const opacity = (1 - Math.abs(done * 2 - 1)) * 0.9;
  const [x, y] = at(axis, 1.5);
  const from = axis === 90 || axis === 135 ? "0 0" : `${-x} ${-y}`;
  return `<path d="M${from}L${x} ${y}" stroke="#fff" stroke-width="2" stroke-dasharray="9 8" opacity="${opacity.toFixed(2)}"/>`;
};

// --- things around the paper ---

const scissors = (x, y, turn, open, size = 1) => `
  <g transform="translate(${x} ${y}) rotate(${turn}) scale(${size})">
    ${[1, -1].map((side) => `<g transform="scale(1 ${side}) rotate(${open})">
      <path d="M-150 -3 L0 -9 L14 2 L0 7 Z" fill="#9aa3ab" stroke="#5d666e" stroke-width="1.5"/>
      <path d="M0 -2 C40 -2 50 20 66 26" fill="none" stroke="#5d2a1c" stroke-width="10" stroke-linecap="round"/>
      <ellipse cx="92" cy="36" rx="34" ry="21" transform="rotate(22 92 36)" fill="none" stroke="#5d2a1c" stroke-width="11"/></g>`).join("")}
    <circle r="6" fill="#e6e9eb" stroke="#5d666e" stroke-width="2"/>
  </g>`;
const pencil = (x, y) => `
  <g transform="translate(${x} ${y}) rotate(-52)">
    <path d="M0 0 L26 -9 L26 9 Z" fill="#f1d9b5"/><path d="M0 0 L9 -3 L9 3 Z" fill="#333"/>
    <rect x="26" y="-9" width="150" height="18" fill="#e2a22a"/><rect x="26" y="-3" width="150" height="6" fill="#c98613"/>
    <rect x="176" y="-9" width="22" height="18" rx="4" fill="#d9776a"/>
  </g>`;
const text = (x, y, kind, words, opacity = 1, anchor = "start") =>
  `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}" opacity="${opacity.toFixed(3)}">${words}</text>`;

const frame = () => `
  <rect width="1280" height="720" fill="${PAPER}"/>
  <rect x="22" y="22" width="1236" height="676" fill="none" stroke="#d9b59a" stroke-width="2"/>
  ${[[22, 22, 0], [1258, 22, 90], [1258, 698, 180], [22, 698, 270]]
    .map(([x, y, turn]) => `<path transform="translate(${x} ${y}) rotate(${turn})" d="M0 44V0H44M10 44V10H44V34H34V20H20V44" fill="none" stroke="#c8876a" stroke-width="2.5"/>`)
    .join("")}`;
const shadow = (inner) => `<g style="filter: drop-shadow(0 7px 9px rgba(80,30,10,.28))">${inner}</g>`;
const centre = (x, y, size, turn, inner) => `<g transform="translate(${x} ${y}) scale(${size}) rotate(${turn})">${inner}</g>`;
const flower = () => wedges([0, 1, 2, 3, 4, 5, 6, 7], RED, true);

// --- the scenes, each with its time in seconds ---

const SCENES = [
  { from: 0, to: 7, draw: opening },
  { from: 7, to: 16, draw: material },
  { from: 16, to: 38, draw: fold_three_times },
  { from: 38, to: 47, draw: draw_the_pattern },
  { from: 47, to: 62, draw: cut_it },
  { from: 62, to: 76, draw: unfold },
  { from: 76, to: 84, draw: closing },
];

function opening(t) {
  const come = ease(span(t, 0, 1.6));
  return `${shadow(centre(360, 360, 0.55 + 0.55 * come, -30 + t * 5, flower()))}
    ${text(690, 330, "title", "剪纸入门", shown(t, 0.8, 7.2))}
    ${text(694, 420, "title", "团花", shown(t, 1.4, 7.2))}
    ${text(696, 490, "sub", "社区手工课 · 第一讲", shown(t, 2.2, 7.2))}`;
}

function material(t) {
  const paper = ease(span(t, 7.2, 8.4));
  const tools = ease(span(t, 9.4, 10.6));
  return `${text(90, 118, "step", "一、准备", shown(t, 7, 16.2))}
    <g opacity="${paper}">${shadow(centre(400, 400, 0.92, 0, wedges([0, 1, 2, 3, 4, 5, 6, 7], RED, false)))}</g>
    ${text(400, 668, "hint", "正方形红纸，边长 15 厘米左右", paper, "middle")}
    <g opacity="${tools}">${scissors(905, 300, -25, 8 + 4 * Math.sin(t * 4))}${pencil(880, 600)}</g>
    ${text(960, 420, "hint", "圆头小剪刀", tools, "middle")}
    ${text(1050, 590, "hint", "铅笔", tools, "middle")}`;
}

const FOLD_WORDS = ["对角折一次，红面朝里", "再对折，折边对齐", "第三次对折，压实"];
function fold_three_times(t) {
  const local = t - 16;
  const n = Math.min(2, Math.floor(local / 7));
  const done = ease(span(local - n * 7, 1.4, 5.2));
  // The camera follows the paper as it gets smaller.
  const go = ease(span(local, 0, 21));
  return `${text(90, 118, "step", "二、对折三次", shown(t, 16, 38.2))}
    ${shadow(centre(800, 375 - 180 * go, 1 + 0.6 * go, 0, folding(n, done, false)))}
    ${FOLD_WORDS.map((words, i) => text(90, 560 + i * 48, "hint", `${i + 1}. ${words}`, n === i ? 1 : n > i ? 0.45 : 0)).join("")}
    ${text(90, 180, "hint", `${2 ** (n + (done > 0.9 ? 1 : 0))} 层`)}`;
}

// The folded wedge large on the table, its point (the centre of the flower) at the left.
const BIG = { x: 300, y: 375, size: 2.1, turn: -22 };
function big_wedge(inner) {
  return `<g transform="translate(${BIG.x} ${BIG.y}) scale(${BIG.size}) rotate(${BIG.turn})">${inner}</g>`;
}
const pencil_lines = (done) => {
  const all = [contour().slice(1), ...HOLES];
  return all
    .map((points, i) => {
      const part = ease(span(done * all.length, i, i + 1.2));
      const d = i === 0 ? path(points).replace(/Z$/, "") : path(points);
      return `<path d="${d}" pathLength="1" fill="none" stroke="#5c4a44" stroke-width="1.1" stroke-dasharray="${part.toFixed(3)} 2" opacity="${part > 0 ? 1 : 0}"/>`;
    })
    .join("");
};

function draw_the_pattern(t) {
  const done = span(t, 39.2, 45.8);
  return `${text(90, 118, "step", "三、画花样", shown(t, 38, 47.2))}
    ${shadow(big_wedge(`<path d="${path(WEDGE)}" fill="${PALE}"/>`))}
    ${big_wedge(pencil_lines(done))}
    ${pencil(600 + 150 * Math.sin(t * 2.1), 360 + 60 * Math.cos(t * 2.7))}
    ${text(90, 606, "hint", "折边上画半片，展开就是一整片", shown(t, 40, 47.2))}
    ${text(90, 652, "hint", "月牙纹、锯齿纹、圆点，彼此留出相连的纸", shown(t, 42, 47.2))}`;
}

function cut_it(t) {
  const all = HOLES.length + 1;
  const now = span(t, 48, 60.5) * all;
  const gone = HOLES.map((_, i) => ease(span(now, i, i + 0.9)));
  const outer = ease(span(now, all - 1, all - 0.1));
  const left = HOLES.filter((_, i) => gone[i] > 0.35).map((hole) => path(hole)).join("");
  const body = (outer > 0.35 ? path(contour()) : path(WEDGE)) + left;
  const falling = HOLES.map((hole, i) => {
    if (gone[i] <= 0.35 || gone[i] >= 1) return "";
    const drop = (gone[i] - 0.35) / 0.65;
    return `<path d="${path(hole)}" transform="translate(${60 * drop} ${90 * drop})" fill="${PALE}" stroke="#c99" stroke-width=".6" opacity="${1 - drop}"/>`;
  }).join("");
  const current = Math.min(HOLES.length, Math.floor(now));
  const shape = current < HOLES.length ? HOLES[current] : contour().slice(1);
  const around = shape[Math.floor((now - Math.floor(now)) * (shape.length - 1))] ?? shape[0];
  const [x, y] = around;
  const turn = rad(BIG.turn);
  const sx = BIG.x + BIG.size * (x * Math.cos(turn) - y * Math.sin(turn));
  const sy = BIG.y + BIG.size * (x * Math.sin(turn) + y * Math.cos(turn));
  const snip = now < all ? 9 + 8 * Math.abs(Math.sin(t * 7)) : 3;
  return `${text(90, 118, "step", "四、剪", shown(t, 47, 62.2))}
    ${shadow(big_wedge(`<path d="${body}" fill="${PALE}" fill-rule="evenodd"/>`))}
    ${big_wedge(HOLES.filter((_, i) => gone[i] <= 0.35).map((hole) => `<path d="${path(hole)}" fill="none" stroke="#5c4a44" stroke-width="1.1"/>`).join("") + falling)}
    ${scissors(sx + 118, sy + 66, 30, snip, 0.9)}
    ${text(90, 606, "hint", "先剪里面，后剪外面；先剪小的，后剪大的", shown(t, 49, 55.5))}
    ${text(90, 606, "hint", "转的是纸，不是剪刀", shown(t, 55.5, 62.2))}`;
}

function unfold(t) {
  const local = t - 62;
  const n = Math.min(2, Math.floor(local / 3.8));
  const fold = 2 - n;
  const done = 1 - ease(span(local - n * 3.8, 0.7, 3.2));
  const go = 1 - ease(span(local, 0, 10));
  const finished = local > 11.4;
  return `${text(90, 118, "step", "五、展开", shown(t, 62, 76.2))}
    ${shadow(centre(640, 375 - 110 * go, 1.12 + 0.15 * go, 0, finished ? flower() : folding(fold, done, true)))}
    ${text(90, 652, "hint", "从里往外，轻轻地，一层一层", shown(t, 63, 76.2))}`;
}

function closing(t) {
  const come = ease(span(t, 76, 77.4));
  return `<g opacity="${come}">
      <rect x="170" y="110" width="500" height="500" fill="#dfeef5"/>
      <path d="M420 110V610M170 360H670" stroke="#b98b5e" stroke-width="12"/>
      <rect x="170" y="110" width="500" height="500" fill="none" stroke="#a8763f" stroke-width="22"/></g>
    ${shadow(centre(420, 360, 1.12 - 0.24 * come, 0, flower()))}
    ${text(760, 270, "title", "贴上窗，", come)}
    ${text(760, 370, "title", "就是窗花。", ease(span(t, 77, 78.4)))}
    ${text(764, 450, "hint", "多剪几张，花样由你", ease(span(t, 78.4, 79.6)))}
    ${text(764, 590, "small", "图样与动画：多库示例，CC0", ease(span(t, 79.4, 80.6)))}`;
}

window.draw = (t) => {
  const scene = SCENES.find(({ from, to }) => t >= from && t < to) ?? SCENES.at(-1);
  document.getElementById("stage").innerHTML = frame() + scene.draw(t);
};
window.stills = [3, 12, 18.6, 21, 27, 34, 37.5, 44, 52, 58, 61, 65, 69, 72, 75, 81];
window.draw(0);
