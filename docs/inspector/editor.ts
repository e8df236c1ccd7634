import { byId, element } from "./elements.js";
import { type TextProblem, positionOf } from "./text.js";

/** A box for JSON with line numbers, and its complaint below it. */
interface Editor {
  readonly text: () => string;
  readonly write: (text: string) => void;
  readonly complain: (problem: TextProblem | undefined) => void;
  readonly onInput: (then: () => void) => void;
  readonly onDrop: (then: (file: File) => void) => void;
}

/** More lines than any text here has; the numbers end there. */
const maxNumbers = 5000;

export const editor = (id: string): Editor => {
  const area = byId(id, HTMLTextAreaElement);
  const numbers = byId(`${id}-numbers`, HTMLElement);
  const complaint = byId(`${id}-problem`, HTMLElement);
  let faultLine: number | undefined;

  const drawNumbers = (): void => {
    const lines = Math.min(area.value.split("\n").length, maxNumbers);
    while (numbers.childElementCount > lines) numbers.lastElementChild?.remove();
    for (let line = numbers.childElementCount + 1; line <= lines; line += 1)
      numbers.append(element("span", {}, String(line)));
  };
  const follow = (): void => {
    numbers.style.transform = `translateY(${-area.scrollTop}px)`;
  };
  const markLine = (line: number | undefined): void => {
    if (faultLine !== undefined) numbers.children[faultLine - 1]?.classList.remove("at-fault");
    if (line !== undefined) numbers.children[line - 1]?.classList.add("at-fault");
    faultLine = line;
  };
  const goTo = (at: number): void => {
    area.focus();
    area.setSelectionRange(at, Math.min(at + 1, area.value.length));
    const { line } = positionOf(area.value, at);
    area.scrollTop = (line - 3) * Number.parseFloat(getComputedStyle(area).lineHeight);
  };
  area.addEventListener("scroll", follow, { passive: true });
  area.addEventListener("input", drawNumbers);

  return {
    text: () => area.value,
    write: (text) => {
      area.value = text;
      area.scrollTop = 0;
      area.scrollLeft = 0;
      drawNumbers();
      follow();
    },
    complain: (problem) => {
      complaint.hidden = problem === undefined;
      area.setAttribute("aria-invalid", String(problem !== undefined));
      const at = problem?.at;
      markLine(at === undefined ? undefined : positionOf(area.value, at).line);
      if (problem === undefined) {
        complaint.replaceChildren();
        return;
      }
      const go = element("button", { type: "button" }, "Go there");
      go.addEventListener("click", () => {
        goTo(at ?? 0);
      });
      complaint.replaceChildren(
        element("span", {}, problem.message),
        ...(at === undefined || area.value === "" ? [] : [go]),
      );
    },
    onInput: (then) => {
      area.addEventListener("input", then);
    },
    onDrop: (then) => {
      const box = area.parentElement ?? area;
      const isFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
      area.addEventListener("dragover", (event) => {
        if (!isFile(event)) return;
        event.preventDefault();
        box.classList.add("over");
      });
      area.addEventListener("dragleave", () => {
        box.classList.remove("over");
      });
      area.addEventListener("drop", (event) => {
        box.classList.remove("over");
        const file = event.dataTransfer?.files[0];
        if (file === undefined) return;
        event.preventDefault();
        then(file);
      });
    },
  };
};
