//! `config`: how a script runs.

use crate::ast::{Amount, Config, ConfigValue, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{OutputFormat, Settings};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::name::did_you_mean;

/// A text that is read from memory has at most so many bytes.
const MAX_STRLEN: i64 = 1024;

/// A map has at most so many rows.
const MAX_MAP_KEYS: i64 = 16 << 20;

/// The settings that there are.
const SETTINGS: &[&str] = &["format", "max_map_keys", "max_strlen", "print_maps_on_exit"];

/// Settings of bpftrace that change nothing here.
const ACCEPTED: &[&str] = &[
    "cache_user_symbols",
    "cpp_demangle",
    "lazy_symbolication",
    "license",
    "log_size",
    "max_ast_nodes",
    "max_bpf_progs",
    "max_probes",
    "max_type_res_iterations",
    "on_stack_limit",
    "perf_rb_pages",
    "show_debug_info",
    "use_blazesym",
];

/// Settings of bpftrace that would change what is printed, and what to write instead.
const REFUSED: &[(&str, &str)] = &[
    (
        "stack_mode",
        "say it where the stack is taken: `ustack(perf, 5)`",
    ),
    (
        "missing_probes",
        "a probe that cannot be attached is always reported",
    ),
    (
        "str_trunc_trailer",
        "texts that are cut off have no mark; `max_strlen` makes more room",
    ),
    ("max_cat_bytes", "`cat()` prints files as they are"),
    (
        "unstable_map_decl",
        "maps are declared by what is put into them",
    ),
    ("unstable_import", "`import` needs no setting"),
    ("unstable_macro", "`macro` needs no setting"),
    ("unstable_tseries", "`tseries()` needs no setting"),
];

impl Checker<'_> {
    /// Takes what a `config` says.
    pub(super) fn config(&mut self, config: &Config, settings: &mut Settings) {
        for (index, (name, value)) in config.entries.iter().enumerate() {
            let mut before = config.entries[..index].iter();
            if let Some((first, _)) = before.find(|(known, _)| known.text == name.text) {
                let message = format!("`{}` is set twice", name.text);
                self.errors.push(
                    Diagnostic::new(Code::Duplicate, name.span, message)
                        .also(first.span, "first here"),
                );
            }
            self.setting(name, value, settings);
        }
    }

    fn setting(&mut self, name: &Name, value: &ConfigValue, settings: &mut Settings) -> Option<()> {
        // bpftrace knows them by the names of its environment variables, too.
        let text = name.text.to_ascii_lowercase();
        let text = text.strip_prefix("bpftrace_").unwrap_or(&text);
        match text {
            "max_strlen" => {
                let bytes = self.setting_number(name, value, 2, MAX_STRLEN)?;
                settings.max_strlen = u16::try_from(bytes).ok()?.next_multiple_of(8);
            }
            "max_map_keys" => {
                let keys = self.setting_number(name, value, 1, MAX_MAP_KEYS)?;
                settings.max_map_keys = u32::try_from(keys).ok()?;
            }
            "print_maps_on_exit" => {
                settings.print_maps_on_exit = self.setting_switch(name, value)?;
            }
            "format" => settings.format = Some(self.setting_format(name, value)?),
            text if ACCEPTED.contains(&text) => {}
            text => match REFUSED.iter().find(|(known, _)| *known == text) {
                Some((_, hint)) => {
                    self.not_in_language(name.span, &format!("the setting `{text}` is"), hint);
                }
                None => {
                    let message = format!("no setting is called `{text}`");
                    let error = Diagnostic::new(Code::UnknownSetting, name.span, message);
                    let error = did_you_mean(error, text, SETTINGS.iter().copied())
                        .help(format!("the settings are {}", SETTINGS.join(", ")));
                    self.errors.push(error);
                }
            },
        }
        Some(())
    }

    fn setting_number(
        &mut self,
        name: &Name,
        value: &ConfigValue,
        from: i64,
        to: i64,
    ) -> Option<i64> {
        match value {
            ConfigValue::Number(Number {
                amount: Amount::Whole(number),
                ty: Type::Int,
            }) if (from..=to).contains(number) => Some(*number),
            ConfigValue::Number(Number {
                amount: Amount::Whole(number),
                ty: Type::Size,
            }) if (from..=to).contains(number) && to == MAX_STRLEN => Some(*number),
            _ => self.bad_setting(name, value, &format!("a number from {from} to {to}")),
        }
    }

    fn setting_switch(&mut self, name: &Name, value: &ConfigValue) -> Option<bool> {
        match value {
            ConfigValue::Number(Number {
                amount: Amount::Whole(number @ 0..=1),
                ty: Type::Int,
            }) => Some(*number == 1),
            ConfigValue::Word(word) if word.text == "true" => Some(true),
            ConfigValue::Word(word) if word.text == "false" => Some(false),
            _ => self.bad_setting(name, value, "`true` or `false`"),
        }
    }

    fn setting_format(&mut self, name: &Name, value: &ConfigValue) -> Option<OutputFormat> {
        let text = match value {
            ConfigValue::Word(word) => word.text.as_str(),
            ConfigValue::Text(text) => text.value.as_str(),
            ConfigValue::Number(_) => "",
        };
        let found = OutputFormat::ALL
            .into_iter()
            .find(|format| format.name() == text);
        found.or_else(|| {
            let names = OutputFormat::ALL.map(OutputFormat::name).join(", ");
            self.bad_setting(name, value, &format!("one of {names}"))
        })
    }

    fn bad_setting<T>(&mut self, name: &Name, value: &ConfigValue, takes: &str) -> Option<T> {
        let place: Span = match value {
            ConfigValue::Word(word) => word.span,
            ConfigValue::Text(text) => text.span,
            ConfigValue::Number(_) => name.span,
        };
        let message = format!("`{}` takes {takes}", name.text);
        self.errors
            .push(Diagnostic::new(Code::BadSetting, place, message));
        None
    }
}
