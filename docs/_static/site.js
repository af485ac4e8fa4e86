// What scrolls sideways can be reached with the keyboard.
function letWideThingsBeReached() {
  for (const each of document.querySelectorAll(".bd-article table, .bd-article pre, .bd-article .output")) {
    if (each.scrollWidth > each.clientWidth) {
      each.tabIndex = 0;
    }
  }
}
addEventListener("DOMContentLoaded", letWideThingsBeReached);
addEventListener("resize", letWideThingsBeReached);

// A column of figures stands to the right, its heading too; every other one to the left.
function alignFigures() {
  for (const table of document.querySelectorAll(".bd-article table.dataframe")) {
    const heads = table.tHead ? [...table.tHead.rows] : [];
    const rows = [...table.tBodies].flatMap(body => [...body.rows]);
    const isWhole = row => row.cells.length === rows[0].cells.length;
    if (!rows.length || ![...heads, ...rows].every(isWhole)) {
      continue; // cells that span several: which column one belongs to is not said
    }
    for (let column = 0; column < rows[0].cells.length; column += 1) {
      const texts = rows.map(row => row.cells[column].innerText.trim());
      const known = texts.filter(text => text && !/^(<NA>|NaN|None)$/.test(text));
      if (known.length && known.every(text => /^[-−+]?[\d,]*\.?\d+(e[-+]?\d+)?%?$/.test(text))) {
        [...heads, ...rows].forEach(row => row.cells[column].classList.add("figures"));
      }
    }
  }
}

// A phone stacks the cells of a row, so that each needs its heading. Tables with many columns scroll instead.
function nameCells() {
  for (const table of document.querySelectorAll(".bd-article table.table")) {
    const heads = table.tHead ? [...table.tHead.rows[0].cells].map(cell => cell.innerText.trim()) : [];
    const rows = [...table.tBodies].flatMap(body => [...body.rows]);
    if (heads.length < 2 || heads.length > 4 || !rows.every(row => row.cells.length === heads.length)) {
      continue;
    }
    table.classList.add("stacked");
    for (const row of rows) {
      heads.forEach((head, column) => head && (row.cells[column].dataset.heading = head));
    }
  }
}
addEventListener("DOMContentLoaded", alignFigures);
addEventListener("DOMContentLoaded", nameCells);

// A line with a box to tick needs no dot before it.
addEventListener("DOMContentLoaded", () => {
  for (const item of document.querySelectorAll(".bd-article li")) {
    item.classList.toggle("tick", item.innerText.trim().startsWith("☐"));
  }
});
