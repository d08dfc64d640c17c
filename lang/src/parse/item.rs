//! Items: tables, parameters, probe blocks and the others.

use pest::iterators::{Pair, Pairs};

use super::expression::placeholder;
use super::{Builder, Rule, name, parts, span, written};
use crate::ast::{
    Alias, Block, Check, Clause, ClauseKind, Column, Config, ConfigValue, Expr, Foreign, Import,
    Item, Key, Macro, Name, Param, Probe, ProbeBlock, Script, Table, Text,
};
use crate::span::Span;

impl Builder {
    pub(super) fn script(&self, pairs: Pairs<Rule>) -> Script {
        let mut script = Script {
            docs: Vec::new(),
            items: Vec::new(),
        };
        for pair in pairs.flat_map(parts) {
            match pair.as_rule() {
                Rule::doc => script.docs.push(doc(&pair)),
                Rule::param => script.items.push(Item::Param(self.param(pair))),
                Rule::config => script.items.push(Item::Config(self.config(pair))),
                Rule::import => script.items.push(Item::Import(self.import(pair))),
                Rule::macro_item => script.items.push(Item::Macro(self.macro_item(pair))),
                Rule::alias => script.items.push(Item::Alias(self.alias(pair))),
                Rule::table => script.items.push(Item::Table(self.table(pair))),
                Rule::check => script.items.push(Item::Check(self.check(pair))),
                Rule::probe_block => script.items.push(Item::ProbeBlock(self.probe_block(pair))),
                _ => script.items.push(Item::Foreign(foreign(&pair))),
            }
        }
        script
    }

    fn param(&self, pair: Pair<Rule>) -> Param {
        let place = span(&pair);
        let mut param = Param {
            name: no_name(place),
            default: placeholder(place),
            text: String::new(),
            doc: None,
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::param_name => param.name = name(&part),
                Rule::string => param.doc = Some(self.string(&part)),
                _ => {
                    param.text = written(&part);
                    param.default = self.expr(part);
                }
            }
        }
        param
    }

    fn config(&self, pair: Pair<Rule>) -> Config {
        let place = span(&pair);
        let entries = parts(pair).filter_map(|entry| {
            let mut parts = parts(entry);
            let (key, value) = (parts.next()?, parts.next()?.into_inner().next()?);
            let place = span(&value);
            let value = match value.as_rule() {
                Rule::number => ConfigValue::Number(self.number(value.as_str(), place)),
                Rule::string => ConfigValue::Text(self.string(&value)),
                _ => ConfigValue::Word(name(&value)),
            };
            Some((name(&key), value))
        });
        Config {
            entries: entries.collect(),
            span: place,
        }
    }

    fn import(&self, pair: Pair<Rule>) -> Import {
        let place = span(&pair);
        Import {
            path: self.first_string(pair),
            span: place,
        }
    }

    /// The string that the grammar demands in a rule.
    fn first_string(&self, pair: Pair<Rule>) -> Text {
        let place = span(&pair);
        let string = parts(pair).find(|part| part.as_rule() == Rule::string);
        string.map_or(
            Text {
                value: String::new(),
                span: place,
            },
            |string| self.string(&string),
        )
    }

    fn macro_item(&self, pair: Pair<Rule>) -> Macro {
        let place = span(&pair);
        let body = Block {
            statements: Vec::new(),
            span: place,
        };
        let mut item = Macro {
            name: no_name(place),
            params: Vec::new(),
            body,
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::macro_name => item.name = name(&part),
                Rule::macro_param => item.params.push(name(&part)),
                _ => item.body = self.block(part),
            }
        }
        item
    }

    fn alias(&self, pair: Pair<Rule>) -> Alias {
        let place = span(&pair);
        let probe = Probe {
            kind: no_name(place),
            segments: Vec::new(),
            span: place,
        };
        let mut alias = Alias {
            probe,
            probes: Vec::new(),
            prologue: None,
            span: place,
        };
        for (index, part) in parts(pair).enumerate() {
            match part.as_rule() {
                Rule::probe if index == 0 => alias.probe = self.probe(part),
                Rule::probe => alias.probes.push(self.probe(part)),
                _ => alias.prologue = Some(self.block(part)),
            }
        }
        alias
    }

    fn check(&self, pair: Pair<Rule>) -> Check {
        let place = span(&pair);
        let mut check = Check {
            text: Text {
                value: String::new(),
                span: place,
            },
            condition: placeholder(place),
            written: String::new(),
            span: place,
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::string => check.text = self.string(&part),
                _ => {
                    check.written = written(&part);
                    check.condition = self.expr(part);
                }
            }
        }
        check
    }

    fn probe_block(&self, pair: Pair<Rule>) -> ProbeBlock {
        let body = Block {
            statements: Vec::new(),
            span: span(&pair),
        };
        let mut block = ProbeBlock {
            probes: Vec::new(),
            predicate: None,
            body,
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::probe => block.probes.push(self.probe(part)),
                Rule::predicate => block.predicate = self.only_expr(part),
                _ => block.body = self.block(part),
            }
        }
        block
    }

    fn probe(&self, pair: Pair<Rule>) -> Probe {
        let place = span(&pair);
        let mut parts = parts(pair).map(|part| name(&part));
        Probe {
            kind: parts.next().unwrap_or_else(|| no_name(place)),
            segments: parts.collect(),
            span: place,
        }
    }

    fn table(&self, pair: Pair<Rule>) -> Table {
        let mut table = Table {
            name: no_name(span(&pair)),
            probes: Vec::new(),
            filter: None,
            keys: Vec::new(),
            columns: Vec::new(),
            clauses: Vec::new(),
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::table_name => table.name = name(&part),
                Rule::probe => table.probes.push(self.probe(part)),
                Rule::where_clause => table.filter = self.only_expr(part),
                Rule::by_clause => table.keys.extend(parts(part).map(|key| self.key(key))),
                Rule::column => table.columns.push(self.column(part)),
                _ => table.clauses.extend(self.clause(part)),
            }
        }
        table
    }

    fn only_expr(&self, pair: Pair<Rule>) -> Option<Expr> {
        parts(pair).next().map(|part| self.expr(part))
    }

    fn key(&self, pair: Pair<Rule>) -> Key {
        Key {
            text: written(&pair),
            value: self.expr(pair),
        }
    }

    fn column(&self, pair: Pair<Rule>) -> Column {
        let place = span(&pair);
        let mut column = Column {
            name: no_name(place),
            value: placeholder(place),
            condition: None,
            unit: None,
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::column_name => column.name = name(&part),
                Rule::column_if => column.condition = self.only_expr(part),
                Rule::column_as => column.unit = parts(part).next().map(|unit| name(&unit)),
                _ => column.value = self.expr(part),
            }
        }
        column
    }

    fn clause(&self, pair: Pair<Rule>) -> Option<Clause> {
        let place = span(&pair);
        let rule = pair.as_rule();
        if rule == Rule::title {
            return Some(Clause {
                kind: ClauseKind::Title(self.first_string(pair)),
                span: place,
            });
        }
        let mut parts = parts(pair);
        let first = parts.next()?;
        let second = parts.next();
        let kind = match rule {
            Rule::having => ClauseKind::Having(self.expr(first)),
            Rule::limit => ClauseKind::Limit(self.expr(first)),
            Rule::every => ClauseKind::Every(self.expr(first)),
            Rule::sort => {
                let descending = second.is_some_and(|order| order.as_rule() == Rule::kw_desc);
                ClauseKind::Sort {
                    by: name(&first),
                    descending,
                }
            }
            _ => ClauseKind::Pivot {
                key: self.key(first),
                baseline: second.map(|text| self.string(&text)),
            },
        };
        Some(Clause { kind, span: place })
    }
}

fn no_name(span: Span) -> Name {
    Name {
        text: String::new(),
        span,
    }
}

/// A `//!` line without the mark and one space.
fn doc(pair: &Pair<Rule>) -> Text {
    let line = pair.as_str().trim_end();
    let line = line.strip_prefix("//!").unwrap_or(line);
    Text {
        value: line.strip_prefix(' ').unwrap_or(line).to_owned(),
        span: span(pair),
    }
}

fn foreign(pair: &Pair<Rule>) -> Foreign {
    let text = pair.as_str();
    let word = text
        .split(|c: char| c.is_whitespace() || matches!(c, '<' | '"' | '{'))
        .next()
        .unwrap_or(text);
    Foreign {
        word: word.to_owned(),
        span: Span::new(pair.as_span().start(), pair.as_span().start() + word.len()),
    }
}
