//! Text with places where a line may break, and the printer that breaks it ("A prettier printer",
//! Wadler 2003). A group is printed on one line if it fits, else all of its own lines break.

use super::WIDTH;

/// A text that can be laid out in several ways.
#[derive(Debug, Clone)]
pub(super) enum Doc {
    /// Printed as it is. One with line breaks keeps them, and breaks the groups around it.
    Text(String),
    /// A space, or a line break.
    Line,
    /// Nothing, or a line break.
    SoftLine,
    /// A line break.
    HardLine,
    /// One after the other.
    All(Vec<Doc>),
    /// Further to the right, after each line break.
    Nest(usize, Box<Doc>),
    /// On one line if it fits.
    Group(Box<Doc>),
}

impl Doc {
    pub(super) fn nest(by: usize, parts: Vec<Doc>) -> Doc {
        Doc::Nest(by, Box::new(Doc::All(parts)))
    }

    pub(super) fn group(parts: Vec<Doc>) -> Doc {
        Doc::Group(Box::new(Doc::All(parts)))
    }

    /// Several with something between them.
    pub(super) fn join(docs: impl IntoIterator<Item = Doc>, between: &[Doc]) -> Doc {
        let mut all = Vec::new();
        for doc in docs {
            if !all.is_empty() {
                all.extend_from_slice(between);
            }
            all.push(doc);
        }
        Doc::All(all)
    }
}

/// A text.
pub(super) fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

#[derive(Clone, Copy)]
struct Todo<'d> {
    indent: usize,
    flat: bool,
    doc: &'d Doc,
}

/// The text, laid out.
pub(super) fn print(doc: &Doc) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut todo = vec![Todo {
        indent: 0,
        flat: false,
        doc,
    }];
    while let Some(next) = todo.pop() {
        let Todo { indent, flat, doc } = next;
        match doc {
            Doc::Text(text) => {
                out.push_str(text);
                column = match text.rsplit_once('\n') {
                    Some((_, last)) => last.chars().count(),
                    None => column + text.chars().count(),
                };
            }
            Doc::Line if flat => {
                out.push(' ');
                column += 1;
            }
            Doc::SoftLine if flat => {}
            Doc::Line | Doc::SoftLine | Doc::HardLine => {
                let end = out.trim_end_matches(' ').len();
                out.truncate(end);
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            }
            Doc::All(parts) => todo.extend(parts.iter().rev().map(|doc| Todo { doc, ..next })),
            Doc::Nest(by, doc) => todo.push(Todo {
                indent: indent + by,
                flat,
                doc,
            }),
            Doc::Group(doc) => {
                let on_one_line = Todo {
                    indent,
                    flat: true,
                    doc,
                };
                let flat = flat || fits(WIDTH.saturating_sub(column), on_one_line, &todo);
                todo.push(Todo { indent, flat, doc });
            }
        }
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out
}

/// Whether the group, and what follows it up to the next line break, fits into the rest of the line.
fn fits(room: usize, group: Todo, after: &[Todo]) -> bool {
    let mut room = room;
    let mut after = after.iter().rev();
    let mut todo = vec![group];
    loop {
        let Some(next) = todo.pop().or_else(|| after.next().copied()) else {
            return true;
        };
        let Todo { flat, doc, .. } = next;
        let width = match doc {
            Doc::Text(text) if text.contains('\n') => {
                let first = text.lines().next().unwrap_or_default();
                return !flat && first.chars().count() <= room;
            }
            Doc::Text(text) => text.chars().count(),
            Doc::Line if flat => 1,
            Doc::SoftLine if flat => 0,
            Doc::Line | Doc::SoftLine | Doc::HardLine => return !flat,
            Doc::All(parts) => {
                todo.extend(parts.iter().rev().map(|doc| Todo { doc, ..next }));
                0
            }
            Doc::Nest(_, doc) | Doc::Group(doc) => {
                todo.push(Todo { doc, ..next });
                0
            }
        };
        match room.checked_sub(width) {
            Some(left) => room = left,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &[&str]) -> Doc {
        let arguments = Doc::join(arguments.iter().map(|a| text(*a)), &[text(","), Doc::Line]);
        Doc::group(vec![
            text("f("),
            Doc::nest(2, vec![Doc::SoftLine, arguments]),
            Doc::SoftLine,
            text(")"),
        ])
    }

    #[test]
    fn what_fits_is_on_one_line() {
        assert_eq!(print(&call(&["a", "b"])), "f(a, b)");
    }

    #[test]
    fn what_does_not_fit_is_broken_everywhere() {
        let long = "x".repeat(60);
        assert_eq!(
            print(&call(&[&long, &long])),
            format!("f(\n  {long},\n  {long}\n)")
        );
    }

    #[test]
    fn what_follows_has_to_fit_too() {
        let long = "x".repeat(96);
        let doc = Doc::All(vec![call(&[&long]), text(" {"), Doc::HardLine, text("}")]);
        assert_eq!(print(&doc), format!("f(\n  {long}\n) {{\n}}"));
    }

    #[test]
    fn a_text_with_line_breaks_breaks_what_is_around() {
        assert_eq!(print(&call(&["a\n b"])), "f(\n  a\n b\n)");
    }
}
