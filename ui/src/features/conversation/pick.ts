/** Has the person choose files, and answers with them; with none when they chose none. */
export function pickFiles(): Promise<File[]> {
  // Of no view: one that goes meanwhile would take the answer with it.
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.hidden = true;
  document.body.append(input);
  return new Promise<File[]>((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  }).finally(() => input.remove());
}
