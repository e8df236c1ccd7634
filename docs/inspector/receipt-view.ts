import { drawing, element } from "./elements.js";
import type { Finding } from "./receipt.js";

const marks: Readonly<Record<Finding["outcome"], string>> = {
  good: "M2.5 6.5 5 9l4.5-6",
  bad: "M3 3l6 6M9 3 3 9",
  unknown: "M6 2.5v4M6 9.2v.1",
};

const words: Readonly<Record<Finding["outcome"], string>> = {
  good: "good",
  bad: "not good",
  unknown: "not checked",
};

/** Shows what a server finds before it asks the rules. */
export const showReceipt = (findings: readonly Finding[], list: HTMLElement): void => {
  list.replaceChildren(
    ...findings.map(({ name, outcome, text }) =>
      element(
        "li",
        { class: "check", "data-outcome": outcome },
        element("div", { class: "mark" }, drawing(marks[outcome])),
        element(
          "div",
          {},
          element(
            "p",
            { class: "head" },
            element("span", { class: "title" }, name),
            element("span", { class: "outcome" }, words[outcome]),
          ),
          element("p", { class: "text" }, text),
        ),
      ),
    ),
  );
};
