// SPDX-License-Identifier: BSD-3-Clause
// A landscape to try things with, drawn here: no photograph ships with the page.

/** An ImageData of hills in the evening, with grain and stars. */
export function landscape(width = 960, height = 640) {
  const canvas = new OffscreenCanvas(width, height);
  const g = canvas.getContext('2d');
  const sky = g.createLinearGradient(0, 0, 0, height);
  for (const [at, colour] of [[0, '#16203d'], [0.45, '#7d4f6f'], [0.62, '#e2885b'], [0.72, '#f7d08a']]) sky.addColorStop(at, colour);
  g.fillStyle = sky;
  g.fillRect(0, 0, width, height);
  let state = 7;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < 150; i++) {
    g.fillStyle = `rgba(255,245,220,${0.7 * random()})`;
    g.fillRect(width * random(), 0.45 * height * random() ** 2, 1.5, 1.5);
  }
  const glow = g.createRadialGradient(0.68 * width, 0.62 * height, 5, 0.68 * width, 0.62 * height, 220);
  glow.addColorStop(0, '#fff6d8');
  glow.addColorStop(0.14, '#ffe7a8cc');
  glow.addColorStop(1, '#ffd08000');
  g.fillStyle = glow;
  g.fillRect(0, 0, width, height);
  for (let hill = 0; hill < 5; hill++) {
    const base = height * (0.62 + 0.09 * hill);
    g.fillStyle = `hsl(${285 - 22 * hill} ${22 + 3 * hill}% ${40 - 7.5 * hill}%)`;
    g.beginPath();
    g.moveTo(0, height);
    for (let x = 0; x <= width; x += 2) {
      const wave = Math.sin(x / (130 - 14 * hill) + 2.1 * hill) * 26 + Math.sin(x / 37 + hill) * 9 + Math.sin(x / 7 + 5 * hill) * 1.6 * hill;
      g.lineTo(x, base + wave);
    }
    g.lineTo(width, height);
    g.fill();
  }
  for (let i = 0; i < 900; i++) { // grass
    const x = width * random();
    const y = height * (0.9 + 0.1 * random());
    g.strokeStyle = `hsl(${90 + 40 * random()} 30% ${8 + 14 * random()}%)`;
    g.beginPath();
    g.moveTo(x, y + 14);
    g.quadraticCurveTo(x, y, x + 8 * random() - 4, y - 12 * random());
    g.stroke();
  }
  const image = g.getImageData(0, 0, width, height);
  for (let i = 0; i < image.data.length; i += 4) {
    const grain = 7 * (random() - 0.5);
    for (let c = 0; c < 3; c++) image.data[i + c] += grain;
  }
  return image;
}
