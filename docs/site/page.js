// Draws the diagrams of a page. Its script is large, so only a page with a diagram loads it.
const textOf = (code) => {
  const copy = code.cloneNode(true);
  for (const lineBreak of copy.querySelectorAll("br")) lineBreak.replaceWith("\n");
  return copy.textContent;
};

const diagrams = [...document.querySelectorAll("pre > code.mermaid")].map((code) => ({
  block: code.parentElement,
  text: textOf(code),
}));

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

const draw = async () => {
  const { mermaid } = globalThis;
  // Typedoc shows the page only when it is complete; before, no text can be measured.
  while (getComputedStyle(document.body).display === "none")
    await new Promise((resolve) => setTimeout(resolve, 20));
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    theme: isDark() ? "dark" : "neutral",
    // A diagram keeps its size and scrolls where the page is narrower.
    flowchart: { useMaxWidth: false },
    sequence: { useMaxWidth: false },
    state: { useMaxWidth: false },
  });
  for (const [at, { block, text }] of diagrams.entries()) {
    const { svg } = await mermaid.render(`diagram-${at}`, text);
    const figure = document.createElement("figure");
    figure.className = "diagram";
    figure.innerHTML = svg;
    (block.nextElementSibling?.matches("figure.diagram") ? block.nextElementSibling : undefined)?.remove();
    block.after(figure);
    block.hidden = true;
  }
};

if (diagrams.length > 0) {
  const script = document.createElement("script");
  script.src = new URL("mermaid.js", document.querySelector('script[src$="custom.js"]').src).href;
  script.addEventListener("load", () => {
    void draw();
    let wasDark = isDark();
    const redraw = () => {
      if (isDark() !== wasDark) void draw();
      wasDark = isDark();
    };
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  });
  document.head.append(script);
}
