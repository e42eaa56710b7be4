// A VOTable in its serialization TABLEDATA as columns and rows of text.

export function readVotable(text) {
  const found = new DOMParser().parseFromString(text, "text/xml");
  if (found.querySelector("parsererror")) throw new Error("The answer is no VOTable.");
  const states = [...found.getElementsByTagName("INFO")].filter(
    (one) => one.getAttribute("name") === "QUERY_STATUS",
  );
  const failed = states.find((one) => one.getAttribute("value") === "ERROR");
  if (failed) throw new Error(failed.textContent.trim());
  const columns = [...found.getElementsByTagName("FIELD")].map((one) => ({
    name: one.getAttribute("name"),
    unit: one.getAttribute("unit") ?? "",
    ucd: one.getAttribute("ucd") ?? "",
    isNumber:
      ["short", "int", "long", "float", "double"].includes(one.getAttribute("datatype")) &&
      !one.hasAttribute("arraysize"),
    description: one.getElementsByTagName("DESCRIPTION")[0]?.textContent.trim() ?? "",
  }));
  const rows = [...found.getElementsByTagName("TR")].map((row) =>
    [...row.getElementsByTagName("TD")].map((cell) => cell.textContent),
  );
  return { columns, rows, isCut: states.some((one) => one.getAttribute("value") === "OVERFLOW") };
}
