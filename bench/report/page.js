// SPDX-License-Identifier: BSD-2-Clause
// Conveniences; the page can be read without them.
"use strict";

// Light or dark: what the device asks for, until someone chooses.
const theme = document.getElementById("theme");
const root = document.documentElement;
theme.hidden = false;
theme.addEventListener("click", () => {
	const dark = root.dataset.theme ? root.dataset.theme === "dark" :
		matchMedia("(prefers-color-scheme: dark)").matches;
	root.dataset.theme = dark ? "light" : "dark";
});

// The results, as the file that they were made from.
const save = document.getElementById("save");
const data = document.getElementById("data");
save.hidden = false;
save.addEventListener("click", () => {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([data.textContent.trim(), "\n"],
		{ type: data.type }));
	link.download = save.textContent.replace("Save ", "");
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

// Tables are sorted by a click on a column's head, or Enter there.
function sort(table, column, head) {
	const down = head.ariaSort === "ascending";
	const body = table.tBodies[0];
	const key = (row) => {
		const cell = row.cells[column];
		if (!cell || cell.textContent === "–")
			return null;
		return "v" in cell.dataset ? Number(cell.dataset.v) :
			cell.textContent;
	};
	const rows = [...body.rows].map((row) => [key(row), row]);
	rows.sort(([a], [b]) => {
		if (a === null || b === null) // what has no figure comes last
			return (a === null) - (b === null);
		const order = typeof a === "number" && typeof b === "number" ?
			a - b : String(a).localeCompare(String(b));
		return down ? -order : order;
	});
	for (const other of table.tHead.rows[0].cells)
		other.removeAttribute("aria-sort");
	head.setAttribute("aria-sort", down ? "descending" : "ascending");
	body.append(...rows.map(([, row]) => row));
}
for (const table of document.querySelectorAll("table.sort")) {
	[...table.tHead.rows[0].cells].forEach((head, column) => {
		head.tabIndex = 0;
		head.addEventListener("click", () => sort(table, column, head));
		head.addEventListener("keydown", (event) => {
			if (event.key === "Enter")
				sort(table, column, head);
		});
	});
}
