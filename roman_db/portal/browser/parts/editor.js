// The editor of ADQL, which completes what the catalog has.

import { acceptCompletion, autocompletion, completeFromList } from "@codemirror/autocomplete";
import { PLSQL, SQLDialect, sql } from "@codemirror/lang-sql";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

const WORDS =
  "select top distinct from where group by having order asc desc offset join inner left right full outer " +
  "natural on using as and or not in between like ilike is null exists union intersect except all with case " +
  "when then else end cast coalesce true false";
const dialect = SQLDialect.define({ ...PLSQL.spec, keywords: WORDS, builtin: "", types: "" });

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--f184)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--f106)" },
  { tag: [tags.number, tags.bool], color: "var(--f087)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
]);
const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--paper)" },
  ".cm-content": { caretColor: "var(--ink)", fontFamily: "ui-monospace, monospace" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 35%, transparent) !important",
  },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--quiet)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-completionDetail": { color: "inherit" },
  ".cm-wrong": {
    textDecoration: "underline wavy var(--failure) 2px",
    textUnderlineOffset: "0.2em",
    backgroundColor: "color-mix(in srgb, var(--failure) 18%, transparent)",
  },
});

// The place that the server does not understand, until the text changes.
const setWrong = StateEffect.define();
const wrong = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    if (change.docChanged) return Decoration.none;
    for (const effect of change.effects) if (effect.is(setWrong)) return effect.value;
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// From a line and column, both from 1, to the end of the word there.
function placeOf(doc, line, column) {
  const { from, to, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  let begin = Math.min(from + Math.max(column, 1) - 1, to);
  const word = /^(\w+(\.\w+)*|.)/u.exec(text.slice(begin - from))?.[0] ?? "";
  if (!word && begin > 0) begin -= 1;
  return [begin, Math.min(begin + Math.max(word.length, 1), doc.length)];
}

// What completes: schemas with their tables and columns, functions, keywords.
function language(names) {
  const schema = {};
  for (const table of names.tables) {
    schema[table.schema] ??= {};
    schema[table.schema][table.name] = {
      self: { label: table.name, type: "class", info: table.description },
      children: table.columns.map((one) => ({
        label: one.name,
        type: "property",
        detail: one.unit || one.type,
        info: one.description,
      })),
    };
  }
  const columns = new Map();
  for (const table of names.tables)
    for (const one of table.columns)
      columns.set(one.name, {
        label: one.name,
        type: "property",
        detail: one.unit,
        info: one.description,
        boost: -20,
      });
  const functions = names.functions.map((one) => ({
    label: one.name,
    type: "function",
    detail: one.form,
    info: one.description || undefined,
  }));
  const support = sql({ dialect, schema, upperCaseKeywords: true });
  const tables = names.tables.map((one) => ({
    label: `${one.schema}.${one.name}`,
    type: "class",
    info: one.description,
  }));
  const more = completeFromList([...functions, ...tables, ...columns.values()]);
  const notAfterDot = (context) => (context.matchBefore(/\.\w*$/) ? null : more(context));
  return [support, dialect.language.data.of({ autocomplete: notAfterDot })];
}

export function makeEditor(parent, text, onRun, onChange) {
  const names = new Compartment();
  const view = new EditorView({
    doc: text,
    parent,
    extensions: [
      keymap.of([
        {
          key: "Mod-Enter",
          run: () => {
            onRun();
            return true;
          },
        },
        { key: "Tab", run: acceptCompletion },
      ]),
      basicSetup,
      autocompletion({ icons: false }),
      look,
      wrong,
      syntaxHighlighting(colours),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Query in ADQL" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(view.state.doc.toString());
      }),
      names.of(sql({ dialect })),
    ],
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(value) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
    },
    know: (found) => view.dispatch({ effects: names.reconfigure(language(found)) }),
    focus: () => view.focus(),
    mark(line, column) {
      const [from, to] = placeOf(view.state.doc, line, column);
      if (from === to) return;
      const marks = Decoration.set(Decoration.mark({ class: "cm-wrong" }).range(from, to));
      view.dispatch({ effects: setWrong.of(marks), selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
  };
}
