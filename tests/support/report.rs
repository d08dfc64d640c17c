//! Reads what ewapa prints: headline, headings, rows and the lines below.

/// The tables of one run.
#[derive(Debug, Clone)]
pub struct Report {
    /// All of it, as printed.
    pub text: String,
    /// The tables in order.
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the script.
    pub name: String,
    /// The line above it.
    pub headline: String,
    /// The headings.
    pub headings: Vec<String>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
}

/// One row with its headings.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    headings: &'a [String],
    cells: &'a [String],
}

impl Report {
    /// Reads the text.
    pub fn parse(text: &str) -> Report {
        let mut tables: Vec<Table> = Vec::new();
        for line in text.lines() {
            if let Some((name, _)) = line.split_once(" · ") {
                tables.push(Table {
                    name: name.to_owned(),
                    headline: line.to_owned(),
                    headings: Vec::new(),
                    rows: Vec::new(),
                });
                continue;
            }
            let Some(table) = tables.last_mut() else {
                continue;
            };
            let cells = cells(line);
            if table.headings.is_empty() {
                table.headings = cells;
            } else if cells.len() == table.headings.len()
                && (cells.len() > 1 || table.rows.is_empty())
            {
                table.rows.push(cells);
            }
        }
        Report {
            text: text.to_owned(),
            tables,
        }
    }

    /// The only table.
    pub fn table(&self) -> &Table {
        assert_eq!(self.tables.len(), 1, "one table in:\n{}", self.text);
        &self.tables[0]
    }
}

/// Columns are two or more spaces apart.
fn cells(line: &str) -> Vec<String> {
    line.split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Table {
    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row {
            headings: &self.headings,
            cells,
        })
    }

    /// The only row whose cells are these.
    pub fn row(&self, wanted: &[(&str, &str)]) -> Row<'_> {
        let mut rows = self.rows().filter(|row| {
            wanted
                .iter()
                .all(|(heading, cell)| row.text(heading) == *cell)
        });
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("no row {wanted:?} in {self:#?}"));
        assert!(
            rows.next().is_none(),
            "more than one row {wanted:?} in {self:#?}"
        );
        row
    }

    /// The sum of a column over the rows whose cells are these.
    pub fn sum(&self, wanted: &[(&str, &str)], heading: &str) -> i64 {
        self.rows()
            .filter(|row| {
                wanted
                    .iter()
                    .all(|(heading, cell)| row.text(heading) == *cell)
            })
            .map(|row| row.number(heading))
            .sum()
    }
}

impl<'a> Row<'a> {
    /// The cell below a heading.
    pub fn text(self, heading: &str) -> &'a str {
        let index = self.headings.iter().position(|known| known == heading);
        &self.cells[index.unwrap_or_else(|| panic!("no heading {heading} in {:?}", self.headings))]
    }

    /// The whole number below a heading; 0 for none.
    pub fn number(self, heading: &str) -> i64 {
        match self.text(heading) {
            "-" => 0,
            text => text
                .parse()
                .unwrap_or_else(|_| panic!("{heading} is no whole number: {text}")),
        }
    }

    /// The number below a heading.
    pub fn float(self, heading: &str) -> f64 {
        self.text(heading)
            .parse()
            .unwrap_or_else(|_| panic!("{heading} is no number: {}", self.text(heading)))
    }
}
