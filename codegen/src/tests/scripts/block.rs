//! Random probe blocks.

use std::fmt::Write;

use super::Random;
use super::event::Event;
use super::script::DEPTH;
use super::terms::{Place, condition, key, number, text};

/// What every block begins with.
const VARIABLES: &str = "  $a = 1; $b = (int64)pid; $c = 0; $s = comm; $p = (comm, $b);\n";
/// So many loops have a variable: a block has few of them.
const LOOPS: usize = 4;

/// A block of at most so many statements in a list.
pub fn block(random: &mut Random, event: &'static Event, statements: usize, script: &mut String) {
    let place = Place {
        event,
        in_block: true,
    };
    let probes = if event.in_blocks.is_empty() || random.once_in(2) {
        event.probes
    } else {
        event.in_blocks
    };
    let _ = write!(script, "{}", random.of(probes));
    let filter = Place {
        event,
        in_block: false,
    };
    if !random.once_in(3) {
        let filter = condition(random, filter, DEPTH - 1);
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
        let has_room = self.loops < LOOPS;
        match self.random.below(10) {
            0 | 1 if has_room => {
                self.loops += 1;
                let end = match self.random.below(8) {
                    0 => self.number(1),
                    1 => "most".to_owned(),
                    _ => self.random.below(5).to_string(),
                };
                let from = self.random.of(&["0", "1", "-2"]);
                let head = format!("for $i{} : {from}..{end}", self.loops);
                self.within(&head, depth, true);
            }
            2 => {
                let times = 1 + self.random.below(3);
                self.within(&format!("unroll ({times})"), depth, false);
            }
            3 if has_room => {
                self.loops += 1;
                let map = self.random.of(&["@n1", "@n2", "@t1", "@p1", "@calls"]);
                self.within(&format!("for ($kv{} : {map})", self.loops), depth, true);
            }
            4 | 5 if has_room => self.counted_loop(depth),
            6 => {
                // Most likely it is never left by itself.
                let condition = self.condition();
                self.within(&format!("while ({condition})"), depth, true);
            }
            _ => {
                let condition = self.condition();
                self.within(&format!("if ({condition})"), depth, false);
                if self.random.once_in(4) {
                    let condition = self.condition();
                    self.within(&format!("else if ({condition})"), depth, false);
                }
                if self.random.once_in(2) {
                    self.within("else", depth, false);
                }
            }
        }
    }

    /// A `while` of few rounds.
    fn counted_loop(&mut self, depth: usize) {
        self.loops += 1;
        let (counter, rounds) = (self.loops, self.random.below(5));
        let also = if self.random.once_in(2) {
            format!(" && {}", self.condition())
        } else {
            String::new()
        };
        let _ = writeln!(self.script, "  $w{counter} = 0;");
        let _ = writeln!(self.script, "  while ($w{counter} < {rounds}{also}) {{");
        let _ = writeln!(self.script, "  $w{counter}++;");
        self.some(3, depth);
        self.script.push_str("  }\n");
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
        match self.random.below(16) {
            0..=4 => self.assignment(),
            5..=8 => self.aggregate(),
            9..=12 => self.saying(),
            13 => self.changing(),
            14 if !self.place.event.addresses.is_empty() => self.reading(),
            _ => {
                let key = self.random.of(self.place.event.keys);
                match self.random.below(3) {
                    // Each with a map of its own type.
                    0 => format!("@last_{} = {key}", self.named(key)),
                    _ => format!("print(({key}, {}))", self.number(1)),
                }
            }
        }
    }

    fn assignment(&mut self) -> String {
        match self.random.below(14) {
            0..=2 => {
                let variable = self.random.of(&["$a", "$b", "$c"]);
                let operator = self.random.of(&[
                    "=", "=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=",
                ]);
                format!("{variable} {operator} (int64)({})", self.number(DEPTH))
            }
            3 => format!("$s = {}", self.short()),
            4 => format!("$p = ({}, (int64)({}))", self.short(), self.number(1)),
            5 => {
                let operator = self.random.of(&[
                    "=", "=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=",
                ]);
                format!("@n {operator} {}", self.number(DEPTH))
            }
            6 => format!("@n1[{}] = {}", self.number(2), self.number(3)),
            7 => format!("@n2[comm, {}] += {}", self.condition(), self.number(2)),
            8 => format!("@t1[{}] = {}", self.number(2), self.text()),
            9 => {
                let (key, text, number) = (self.number(1), self.short(), self.number(2));
                format!("@p1[{key}] = ({text}, (int64)({number}))")
            }
            10 => {
                let change = self
                    .random
                    .of(&["$a++", "--$b", "$c = $a++ + 2", "$b = 3 - --$a"]);
                change.to_owned()
            }
            11 => {
                let change = self.random.of(&["++", "--"]);
                format!("@n1[{}]{change}", self.number(1))
            }
            12 => format!("count_by(@calls, {})", self.number(1)),
            _ => format!(
                "@nested[{}] = (({}, 1), ($p, comm))",
                self.number(1),
                self.short()
            ),
        }
    }

    /// What user space is told.
    fn saying(&mut self) -> String {
        match self.random.below(12) {
            0 => {
                let (one, other) = (self.number(2), self.text());
                format!("printf(\"%d %s %x\\n\", {one}, {other}, $p.1)")
            }
            1 => {
                let (one, other) = (self.number(1), self.number(2));
                format!("printf(\"%5u|%-12s|%llx|%c|%+d|%#o\\n\", {one}, $s, {other}, 65, $a, $b)")
            }
            2 => format!("print(({}, {}, $p))", self.text(), self.number(2)),
            3 => format!("print(@n1[{}])", self.number(1)),
            4 => "printf(\"%s %s\\n\", strftime(\"%H:%M\", nsecs), strerror(2))".to_owned(),
            5 => "tabulate(\"both\", @tab_a, @tab_b, sort=\"@tab_b\", limit=3)".to_owned(),
            6 => format!("print({})", self.number(2)),
            7 => "print($p)".to_owned(),
            8 => format!("cat(\"/proc/%d/comm\", {})", self.number(1)),
            9 => format!(
                "if ({}) {{ exit({}); }}",
                self.condition(),
                self.random.below(4)
            ),
            _ => self
                .random
                .of(&[
                    "print(@n1)",
                    "print(@t1, 3)",
                    "print(@n1, 3, 10)",
                    "time(\"%H\\n\")",
                ])
                .to_owned(),
        }
    }

    /// What changes maps as a whole, or takes of them.
    fn changing(&mut self) -> String {
        match self.random.below(4) {
            0 => {
                let map = self.random.of(&["@n1", "@t1", "@p1", "@tab_a", "@calls"]);
                format!("delete({map}, (int64)({}))", self.number(2))
            }
            1 => format!("delete(@n1[{}])", self.number(1)),
            2 => format!("@tab_a[(int64)({})] = count()", self.number(1)),
            _ => self
                .random
                .of(&[
                    "clear(@n1)",
                    "zero(@n1)",
                    "clear(@tab_a)",
                    "zero(@tab_b)",
                    "clear(@hist)",
                ])
                .replace("@hist", "@tab_b"),
        }
    }

    /// What is read from memory.
    fn reading(&mut self) -> String {
        let address = self.random.of(self.place.event.addresses);
        let length = self.random.of(&["8", "64", "$a", "@n", "pid"]);
        let how = self.random.of(&["%r", "%rx", "%rh"]);
        match self.random.below(5) {
            0 => format!("join({address})"),
            1 => format!("@symbol[{}] = usym({address})", self.number(1)),
            2 => format!("@bytes[{}] = buf({address}, 16)", self.number(1)),
            _ => format!("printf(\"{how}\\n\", buf({address}, {length}))"),
        }
    }

    /// A part of a name that stands for the expression at this event.
    fn named(&self, expression: &str) -> String {
        let letters = expression.chars().filter(char::is_ascii_alphanumeric);
        format!("{}_{}", self.place.event.name, letters.collect::<String>())
    }

    /// A text that `$s` has room for.
    fn short(&mut self) -> String {
        let condition = self.condition();
        format!("({condition} ? comm : \"none\")")
    }

    fn aggregate(&mut self) -> String {
        let value = self.number(DEPTH);
        let (call, name) = match self.random.below(17) {
            0 => ("count()".to_owned(), "count"),
            1 => (format!("sum({value})"), "sum"),
            2 => (format!("avg({value})"), "avg"),
            3 => (format!("min({value})"), "min"),
            4 => (format!("max({value})"), "max"),
            5 => (format!("hist({value})"), "hist"),
            6 => (format!("lhist({value}, 0, 1000, 10)"), "lhist"),
            7 => (format!("stats({value})"), "stats"),
            8 => (format!("stddev({value})"), "stddev"),
            9 => (format!("hist({value}, 5)"), "fine"),
            10 => (format!("p99({value})"), "tail"),
            11 => (format!("quantile({value}, 0.25)"), "quarter"),
            12 => (format!("tseries({value}, 1s, 10, \"avg\")"), "mean_series"),
            13 => (format!("tseries({value}, 100ms, 5, \"sum\")"), "sum_series"),
            14 => (format!("tseries({value}, 1s, 7, \"min\")"), "min_series"),
            15 => (format!("tseries({value}, 1s, 3)"), "last_series"),
            _ => (format!("tseries({value}, 1s, 10, \"max\")"), "series"),
        };
        match self.random.below(8) {
            0 | 1 => format!("@{name} = {call}"),
            2 | 3 => format!("@{name}_of[{}, comm] = {call}", self.number(1)),
            4 => format!("@{name}_at[{}] = {call}", self.text()),
            5 => format!("@{name}_both[$p, {}] = {call}", self.condition()),
            _ => {
                let key = key(self.random, self.place);
                format!("@{name}_{}[{key}] = {call}", self.named(&key))
            }
        }
    }
}
