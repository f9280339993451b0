/** A made-up photograph: skin with spots on it. */
export function painted(width: number, height: number, seed: number): string {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const brush = canvas.getContext("2d");
  if (!brush) return "";
  const skin = brush.createLinearGradient(0, 0, width, height);
  skin.addColorStop(0, "hsl(24 45% 78%)");
  skin.addColorStop(1, "hsl(18 38% 62%)");
  brush.fillStyle = skin;
  brush.fillRect(0, 0, width, height);
  for (let spot = 1; spot <= 9; spot++) {
    const part = (n: number) => ((spot * n * (seed + 6)) % 97) / 97;
    const size = (spot === 1 ? 0.16 : 0.02 + 0.03 * part(5)) * Math.min(width, height);
    brush.beginPath();
    brush.ellipse(part(31) * width, part(53) * height, size, size * (0.6 + 0.4 * part(7)), part(11), 0, 7);
    brush.fillStyle = `hsl(12 ${35 + 20 * part(13)}% ${32 + 20 * part(17)}% / 0.75)`;
    brush.fill();
  }
  return canvas.toDataURL("image/jpeg");
}
