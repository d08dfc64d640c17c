//! The pages that explain errors: Markdown files, one for each code, with scripts that tests try.

/// The page of a code.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    text: &'static str,
}

/// A part of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'t> {
    /// The title, without its mark.
    Title(&'t str),
    /// One line of text, empty ones included.
    Prose(&'t str),
    /// A block of code.
    Code {
        /// What is behind the fence: the kind of block, and for scripts the options they are run with.
        info: &'t str,
        /// What is between the fences.
        text: &'t str,
    },
}

/// The kind of a block that has a script with the error of the page.
pub const WRONG: &str = "ewq-error";

/// The kind of a block that has a script without errors.
pub const RIGHT: &str = "ewq";

const FENCE: &str = "```";

impl Page {
    pub(crate) fn new(text: &'static str) -> Page {
        Page { text }
    }

    /// The whole page.
    pub fn text(self) -> &'static str {
        self.text
    }

    /// The parts in order.
    pub fn parts(self) -> Vec<Part<'static>> {
        let mut parts = Vec::new();
        let mut rest = self.text;
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            parts.push(if let Some(info) = line.strip_prefix(FENCE) {
                let end = if rest.starts_with(FENCE) {
                    0
                } else {
                    rest.find("\n```").map_or(rest.len(), |end| end + 1)
                };
                let text = &rest[..end];
                rest = rest[end..].split_once('\n').map_or("", |(_, after)| after);
                Part::Code { info, text }
            } else if let Some(title) = line.strip_prefix("# ") {
                Part::Title(title)
            } else {
                Part::Prose(line)
            });
        }
        parts
    }
}

/// The options in the info of a block: names (without dashes) and values.
pub fn options(info: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = info.split_whitespace().skip(1).collect();
    words
        .chunks_exact(2)
        .map(|pair| {
            let name = pair[0].trim_start_matches('-');
            (name.to_owned(), pair[1].to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_into_title_text_and_code() {
        let page = Page::new("# a: b\n\ntext\n```ewq --x 1\nc\nd\n```\n```text\n```\n");
        assert_eq!(
            page.parts(),
            [
                Part::Title("a: b"),
                Part::Prose(""),
                Part::Prose("text"),
                Part::Code {
                    info: "ewq --x 1",
                    text: "c\nd\n"
                },
                Part::Code {
                    info: "text",
                    text: ""
                },
            ]
        );
        assert_eq!(options("ewq --x 1"), [("x".to_owned(), "1".to_owned())]);
    }
}
