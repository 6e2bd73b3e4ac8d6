"use strict";
// Sorts a table by the heading that was clicked: up, down, and as it was. Rows stay within their part of the table,
// since only rows of one part may be compared. What is no number comes last.
for (const table of document.querySelectorAll("table")) {
  const headings = [...table.tHead.rows[0].cells];
  const parts = [...table.tBodies].map((body) => [body, [...body.rows]]);
  if (parts.every(([, rows]) => rows.length < 2)) continue;
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const turn = { ascending: "descending", descending: "" }[heading.getAttribute("aria-sort")] ?? "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      if (turn) heading.setAttribute("aria-sort", turn);
      const sign = turn === "descending" ? -1 : 1;
      const compare = (one, other) => {
        const [a, b] = [one, other].map((row) => row.cells[column]);
        const [x, y] = [a, b].map((cell) => (cell.dataset.by === undefined ? NaN : Number(cell.dataset.by)));
        if (!isNaN(x) || !isNaN(y)) return isNaN(x) ? 1 : isNaN(y) ? -1 : sign * (x - y);
        return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
      };
      for (const [body, rows] of parts) body.append(...(turn ? [...rows].sort(compare) : rows));
    });
  });
}
// Switches all curves of a section on or off; single ones need no script.
for (const legend of document.querySelectorAll(".legend")) {
  for (const [text, on] of [["all", true], ["none", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      for (const box of legend.querySelectorAll("input")) box.checked = on;
    });
    legend.append(button);
  }
}
