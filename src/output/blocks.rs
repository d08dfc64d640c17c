//! A wide pivoted table in parts: groups of columns that do not fit beside each other come below each
//! other, each part with the keys of the lines.

use std::ops::Range;

use super::sheet::Sheet;

/// The space after each column.
pub const GAP: usize = 2;

/// The parts of a sheet, none wider than this unless one group alone is.
pub fn split(sheet: Sheet, width: usize) -> Vec<Sheet> {
    let Some(((_, keys), groups)) = sheet.groups.split_first() else {
        return vec![sheet];
    };
    let widths = widths(&sheet);
    let keys_width: usize = widths[..*keys].iter().sum();
    let mut blocks: Vec<Vec<(usize, Range<usize>)>> = Vec::new();
    let mut used = 0;
    let mut start = *keys;
    for (index, (_, columns)) in groups.iter().enumerate() {
        let columns = start..start + columns;
        start = columns.end;
        let needed = widths[columns.clone()].iter().sum::<usize>();
        // The gap after the last column is not written.
        if blocks.is_empty() || used + needed - GAP > width {
            blocks.push(Vec::new());
            used = keys_width;
        }
        used += needed;
        if let Some(block) = blocks.last_mut() {
            block.push((index + 1, columns));
        }
    }
    let last = blocks.len().saturating_sub(1);
    let part = |(index, block): (usize, &Vec<(usize, Range<usize>)>)| {
        let mut part = part(&sheet, *keys, block);
        if index == last {
            part.notes.clone_from(&sheet.notes);
        }
        part
    };
    if blocks.len() < 2 {
        return vec![sheet];
    }
    blocks.iter().enumerate().map(part).collect()
}

/// The characters that each column takes, with the gap.
fn widths(sheet: &Sheet) -> Vec<usize> {
    let width = |column: usize| {
        let cells = sheet.lines.iter().map(|line| &line[column]);
        let cells = cells.chain([&sheet.headings[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + GAP
    };
    (0..sheet.headings.len()).map(width).collect()
}

fn part(sheet: &Sheet, keys: usize, block: &[(usize, Range<usize>)]) -> Sheet {
    let groups = block.iter().map(|(group, _)| sheet.groups[*group].clone());
    let columns: Vec<usize> = (0..keys)
        .chain(block.iter().flat_map(|(_, columns)| columns.clone()))
        .collect();
    let chosen = |cells: &Vec<String>| -> Vec<String> {
        columns
            .iter()
            .map(|column| cells[*column].clone())
            .collect()
    };
    Sheet {
        groups: sheet.groups[..1].iter().cloned().chain(groups).collect(),
        headings: chosen(&sheet.headings),
        sides: columns.iter().map(|column| sheet.sides[*column]).collect(),
        lines: sheet.lines.iter().map(chosen).collect(),
        notes: Vec::new(),
    }
}
