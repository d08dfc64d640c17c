//! Random scripts.

use std::fmt::Write;

use super::Random;
use super::event::{EVENTS, Event};
use super::terms::{Place, condition, number, quantity, text};

/// How many operators may be in one another.
const DEPTH: usize = 4;

/// The beginning of every script: each map is of a type that others may rely on.
const MAPS: &str = "begin {
  @n = 1; @n1[0] = 1; @n2[\"wasmtime\", true] += 1; @t1[0] = comm; @p1[0] = (comm, 1);
}
";

/// What every block begins with.
const VARIABLES: &str = "  $a = 1; $b = (int64)pid; $c = 0; $s = comm; $p = (comm, $b);\n";

/// A script.
pub fn script(random: &mut Random) -> String {
    let mut script = String::new();
    if random.once_in(3) {
        let bytes = random.of(&["16", "32", "64", "128", "200"]);
        let _ = writeln!(script, "config = {{ max_strlen = {bytes} }}");
    }
    script.push_str(MAPS);
    // Most are small, some are as large as they may be.
    let large = random.once_in(10);
    for index in 0..random.below(if large { 16 } else { 4 }) {
        table(random, index, &mut script);
    }
    for _ in 0..=random.below(if large { 16 } else { 3 }) {
        let statements = match random.below(24) {
            0 => 100,
            1 | 2 => 24,
            _ => 6,
        };
        block(random, statements, &mut script);
    }
    script
}

fn an_event(random: &mut Random) -> &'static Event {
    let index = random.below(EVENTS.len() + 4);
    // Half of them are calls.
    EVENTS.get(index).unwrap_or(&EVENTS[0])
}

fn table(random: &mut Random, index: usize, script: &mut String) {
    let event = an_event(random);
    if !event.in_tables {
        return;
    }
    let place = Place {
        event,
        in_block: false,
    };
    let _ = write!(script, "table t{index} from {}", random.of(event.probes));
    if random.once_in(2) {
        let _ = write!(script, " where {}", condition(random, place, DEPTH));
    }
    let mut keys: Vec<String> = (0..random.below(4)).map(|_| key(random, place)).collect();
    keys.sort_unstable();
    keys.dedup();
    if !keys.is_empty() {
        let _ = write!(script, " by {}", keys.join(", "));
    }
    script.push_str(" {\n");
    for column in 0..=random.below(6) {
        let value = quantity(random, place, DEPTH - 1);
        let aggregate = random.of(&["sum", "avg", "min", "max", "stddev", "p50", "p99", "p999"]);
        let _ = match random.below(4) {
            0 => write!(script, "  c{column} = count()"),
            1 => write!(
                script,
                "  c{column} = {aggregate}({value}) / 2 + {aggregate}({value})"
            ),
            _ => write!(script, "  c{column} = {aggregate}({value})"),
        };
        if random.once_in(3) {
            let _ = write!(script, " if {}", condition(random, place, DEPTH - 1));
        }
        script.push_str(",\n");
    }
    script.push_str("}\n");
}

fn key(random: &mut Random, place: Place<'_>) -> String {
    match random.below(6) {
        0 => format!("pid + {}", number(random, place, 1)),
        1 => format!("(pid == {})", number(random, place, 1)),
        2 => "comm".to_owned(),
        _ => random.of(place.event.keys).to_owned(),
    }
}

fn block(random: &mut Random, statements: usize, script: &mut String) {
    let event = an_event(random);
    let place = Place {
        event,
        in_block: true,
    };
    let _ = write!(script, "{}", random.of(event.probes));
    let filter = Place {
        event,
        in_block: false,
    };
    let filter = condition(random, filter, DEPTH - 1);
    // A division would end it.
    if !filter.contains('/') {
        let _ = write!(script, " /{filter}/");
    }
    script.push_str(" {\n");
    script.push_str(VARIABLES);
    let mut block = Block {
        random,
        place,
        script,
        loops: 0,
    };
    let depth = if block.random.once_in(4) { 6 } else { 3 };
    block.some(statements, depth);
    script.push_str("}\n");
}

/// A block that is being written.
struct Block<'a> {
    random: &'a mut Random,
    place: Place<'a>,
    script: &'a mut String,
    /// How many loops there are so far: each has a variable of its own.
    loops: usize,
}

impl Block<'_> {
    /// At most so many statements, with so many blocks in one another.
    fn some(&mut self, most: usize, depth: usize) {
        for _ in 0..=self.random.below(most) {
            if depth > 0 && self.random.once_in(3) {
                self.compound(depth - 1);
            } else {
                let statement = self.simple();
                let _ = writeln!(self.script, "  {statement};");
            }
        }
    }

    fn within(&mut self, head: &str, depth: usize, leave: bool) {
        let _ = writeln!(self.script, "  {head} {{");
        self.some(3, depth);
        if leave && self.random.once_in(3) {
            let when = self.condition();
            let how = self.random.of(&["break", "continue", "return"]);
            let _ = writeln!(self.script, "  if ({when}) {{ {how}; }}");
        }
        self.script.push_str("  }\n");
    }

    fn compound(&mut self, depth: usize) {
        self.loops += 1;
        match self.random.below(8) {
            0 => {
                let (counter, from, to) = (self.loops, self.number(0), self.number(1));
                let head = format!("for $i{counter} : {from}..{to}");
                self.within(&head, depth, true);
            }
            1 => {
                let condition = self.condition();
                self.within(&format!("while ({condition})"), depth, true);
            }
            2 => {
                let times = 1 + self.random.below(3);
                self.within(&format!("unroll ({times})"), depth, false);
            }
            3 => {
                let map = self.random.of(&["@n1", "@n2", "@t1", "@p1"]);
                self.within(&format!("for ($kv{} : {map})", self.loops), depth, true);
            }
            _ => {
                let condition = self.condition();
                self.within(&format!("if ({condition})"), depth, false);
                if self.random.once_in(2) {
                    self.within("else", depth, false);
                }
            }
        }
    }

    fn condition(&mut self) -> String {
        condition(self.random, self.place, DEPTH - 1)
    }

    fn number(&mut self, depth: usize) -> String {
        number(self.random, self.place, depth)
    }

    fn text(&mut self) -> String {
        text(self.random, self.place, DEPTH - 1)
    }

    fn simple(&mut self) -> String {
        match self.random.below(20) {
            0..=2 => {
                let variable = self.random.of(&["$a", "$b", "$c"]);
                let operator = self
                    .random
                    .of(&["=", "=", "+=", "-=", "*=", "%=", "|=", "<<="]);
                format!("{variable} {operator} (int64)({})", self.number(DEPTH))
            }
            3 => format!("$s = {}", self.short()),
            4 => format!("$p = ({}, (int64)({}))", self.short(), self.number(1)),
            5 => format!("@n = {}", self.number(DEPTH)),
            6 => format!("@n1[{}] = {}", self.number(2), self.number(3)),
            7 => format!("@n2[comm, {}] += {}", self.condition(), self.number(2)),
            8 => format!("@t1[{}] = {}", self.number(2), self.text()),
            9 => format!(
                "@p1[{}] = ({}, (int64)({}))",
                self.number(1),
                self.short(),
                self.number(2)
            ),
            10..=13 => self.aggregate(),
            14 => {
                let (one, other) = (self.number(2), self.text());
                format!("printf(\"%d %s %x\\n\", {one}, {other}, $p.1)")
            }
            15 => format!("print(({}, {}, $p))", self.text(), self.number(2)),
            16 => format!("delete(@n1, {})", self.number(2)),
            17 => self
                .random
                .of(&[
                    "clear(@n1)",
                    "print(@n1)",
                    "zero(@n1)",
                    "time(\"%H\\n\")",
                    "$a++",
                ])
                .to_owned(),
            18 if !self.place.event.addresses.is_empty() => {
                let address = self.random.of(self.place.event.addresses);
                {
                    let length = self.random.of(&["8", "64", "$a", "@n", "pid"]);
                    format!("printf(\"%r\\n\", buf({address}, {length}))")
                }
            }
            _ => {
                let key = self.random.of(self.place.event.keys);
                format!("print(({key}, {}))", self.number(1))
            }
        }
    }

    /// A text that `$s` has room for.
    fn short(&mut self) -> String {
        let condition = self.condition();
        format!("({condition} ? comm : \"none\")")
    }

    fn aggregate(&mut self) -> String {
        let value = self.number(DEPTH);
        let (call, name) = match self.random.below(9) {
            0 => ("count()".to_owned(), "count"),
            1 => (format!("sum({value})"), "sum"),
            2 => (format!("avg({value})"), "avg"),
            3 => (format!("min({value})"), "min"),
            4 => (format!("max({value})"), "max"),
            5 => (format!("hist({value})"), "hist"),
            6 => (format!("lhist({value}, 0, 1000, 10)"), "lhist"),
            7 => (format!("stats({value})"), "stats"),
            _ => (format!("tseries({value}, 1s, 10, \"max\")"), "series"),
        };
        match self.random.below(3) {
            0 => format!("@{name} = {call}"),
            1 => format!("@{name}_of[{}, comm] = {call}", self.number(1)),
            _ => format!("@{name}_at[{}] = {call}", self.text_key()),
        }
    }

    fn text_key(&mut self) -> String {
        self.text()
    }
}
