//! How large the page may still become.

use maud::{Markup, html};

use crate::output::sheet::Sheet;

/// Bytes that are left.
#[derive(Debug)]
pub struct Budget(usize);

/// The page with its style and headings stays below 2 MB.
const ALL: usize = 1_800_000;

impl Default for Budget {
    fn default() -> Budget {
        Budget(ALL)
    }
}

impl Budget {
    /// The piece if there is room for it, else a sentence.
    pub fn spend(&mut self, piece: Markup, left_out: &str) -> Markup {
        match self.0.checked_sub(piece.0.len()) {
            Some(left) => {
                self.0 = left;
                piece
            }
            None => html! {
                p.note { (left_out) ": the page would be too large. `ewapa report -f csv` has all numbers." }
            },
        }
    }

    /// As many lines of the table as there is room for, but not so many that no plot has any.
    pub fn sheet(&mut self, mut sheet: Sheet) -> Sheet {
        let share = self.0 / 3;
        let mut used = 0;
        let mut fitting = 0;
        for line in &sheet.lines {
            let cells = line.iter().map(|cell| cell.len() + TAGS);
            used += cells.sum::<usize>() + TAGS;
            if used > share {
                break;
            }
            fitting += 1;
        }
        let left_out = sheet.lines.len() - fitting;
        if left_out > 0 {
            sheet.lines.truncate(fitting);
            sheet.notes.push(format!(
                "{left_out} more lines are left out: the page would be too large. `ewapa report -f csv` has \
                 all numbers."
            ));
        }
        self.0 -= used.min(share);
        sheet
    }
}

/// What the tags around a cell take.
const TAGS: usize = 26;
