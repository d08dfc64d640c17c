//! What `config` says.

/// How a script runs. Each has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The bytes of a text that is read from memory, the 0 behind it counted.
    pub max_strlen: u16,
    /// The rows of a map or table that the kernel keeps.
    pub max_map_keys: u32,
    /// Whether maps that are left at the end are printed.
    pub print_maps_on_exit: bool,
    /// How results are written unless the command line says so.
    pub format: Option<OutputFormat>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Aligned text.
    Table,
    /// JSON, an object a line.
    Json,
    /// CSV.
    Csv,
    /// Markdown.
    Md,
}

impl OutputFormat {
    /// All of them.
    pub const ALL: [OutputFormat; 4] = [
        OutputFormat::Table,
        OutputFormat::Json,
        OutputFormat::Csv,
        OutputFormat::Md,
    ];

    /// The name in scripts and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OutputFormat::Table => "table",
            OutputFormat::Json => "json",
            OutputFormat::Csv => "csv",
            OutputFormat::Md => "md",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_strlen: 64,
            max_map_keys: 65_536,
            print_maps_on_exit: true,
            format: None,
        }
    }
}
