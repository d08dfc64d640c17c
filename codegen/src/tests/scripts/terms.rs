//! Random expressions, as texts.

use super::Random;
use super::event::{Event, NUMBERS};

/// A place where an expression stands: what it can be made of.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The event.
    pub event: &'a Event,
    /// Whether there are the variables and maps of blocks.
    pub in_block: bool,
}

const VARIABLES: [&str; 3] = ["$a", "$b", "$c"];

/// A number; so many operators in one another.
pub fn number(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    let choice = if depth == 0 {
        random.below(4)
    } else {
        random.below(17)
    };
    let one_less = depth.saturating_sub(1);
    match choice {
        0 => (random.below(2000) as i64 - 1000).to_string(),
        1..=3 => simple_number(random, place, depth / 2),
        4 => format!("len({})", text(random, place, one_less)),
        5 => {
            let condition = condition(random, place, one_less);
            let (one, other) = (
                number(random, place, one_less),
                number(random, place, one_less),
            );
            format!("({condition} ? {one} : {other})")
        }
        6 => {
            let cast = random.of(&[
                "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
            ]);
            format!("({cast})({})", number(random, place, one_less))
        }
        7 => format!("-({})", number(random, place, one_less)),
        8 => format!("~({})", number(random, place, one_less)),
        9 if !place.event.times.is_empty() => {
            format!("({} / 1us)", time(random, place, one_less))
        }
        10 => random
            .of(&["most", "sizeof(uint32)", "$1", "$#"])
            .to_owned(),
        11 if !place.event.watched.is_empty() => random.of(place.event.watched).to_owned(),
        12 => format!("twice({})", number(random, place, one_less / 2)),
        _ => {
            let operator = random.of(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]);
            let (one, other) = (
                number(random, place, one_less),
                number(random, place, one_less),
            );
            format!("({one} {operator} {other})")
        }
    }
}

fn simple_number(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    match random.below(3) {
        0 if place.in_block => random.of(&VARIABLES).to_owned(),
        1 if place.in_block => map_of_numbers(random, place, depth),
        2 if !place.event.numbers.is_empty() => random.of(place.event.numbers).to_owned(),
        _ => random.of(NUMBERS).to_owned(),
    }
}

fn map_of_numbers(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    match random.below(6) {
        5 => format!("len({})", random.of(&["@n1", "@n2", "@t1", "@calls"])),
        3 => format!("@tab_a[(int64)({})]", number(random, place, depth)),
        4 => format!("@calls[{}]", number(random, place, depth)),
        0 => "@n".to_owned(),
        1 => format!("@n1[{}]", number(random, place, depth)),
        _ => format!(
            "@n2[{}, {}]",
            short_text(random),
            condition(random, place, depth)
        ),
    }
}

/// A time, at an event that has one.
pub fn time(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    let one_less = depth.saturating_sub(1);
    match if depth == 0 {
        random.below(3)
    } else {
        random.below(6)
    } {
        0 => random.of(&["1us", "5ms", "100ns"]).to_owned(),
        1 | 2 => random.of(place.event.times).to_owned(),
        3 => format!(
            "({} * {})",
            time(random, place, one_less),
            random.below(2000) as i64 - 1000
        ),
        _ => {
            let operator = random.of(&["+", "-", "%"]);
            let (one, other) = (time(random, place, one_less), time(random, place, one_less));
            format!("({one} {operator} {other})")
        }
    }
}

/// A number, time or size.
pub fn quantity(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    match random.below(4) {
        0 if !place.event.times.is_empty() => time(random, place, depth),
        1 if !place.event.sizes.is_empty() => random.of(place.event.sizes).to_owned(),
        _ => number(random, place, depth),
    }
}

fn short_text(random: &mut Random) -> String {
    random
        .of(&["comm", "who", "\"main\"", "\"wasmtime\"", "\"\""])
        .to_owned()
}

/// A text that is there and not made of others.
fn source_of_text(random: &mut Random, place: Place<'_>) -> String {
    let choices = [
        place.event.texts,
        &["comm"],
        if place.in_block { &["$s"] } else { &[] },
    ]
    .concat();
    random.of(&choices).to_owned()
}

/// A text.
pub fn text(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    let one_less = depth.saturating_sub(1);
    match if depth == 0 {
        random.below(3)
    } else {
        random.below(9)
    } {
        7 => "str($2)".to_owned(),
        8 if !place.event.addresses.is_empty() => {
            format!("kstr({})", random.of(place.event.addresses))
        }
        0 => short_text(random),
        1 | 2 => source_of_text(random, place),
        3 if !place.event.addresses.is_empty() => {
            format!("str({})", random.of(place.event.addresses))
        }
        4 if !place.event.addresses.is_empty() => {
            let length = number(random, place, 0);
            format!("str({}, {length})", random.of(place.event.addresses))
        }
        5 if place.in_block => format!("@t1[{}]", number(random, place, one_less)),
        _ => {
            let condition = condition(random, place, one_less);
            let (one, other) = (text(random, place, one_less), text(random, place, one_less));
            format!("({condition} ? {one} : {other})")
        }
    }
}

/// A key.
pub fn key(random: &mut Random, place: Place<'_>) -> String {
    match random.below(6) {
        0 => format!("pid + {}", number(random, place, 1)),
        1 => format!("(pid == {})", number(random, place, 1)),
        2 => "comm".to_owned(),
        _ => random.of(place.event.keys).to_owned(),
    }
}

/// A condition.
pub fn condition(random: &mut Random, place: Place<'_>, depth: usize) -> String {
    let one_less = depth.saturating_sub(1);
    let order = random.of(&["==", "!=", "<", "<=", ">", ">="]);
    let same = random.of(&["==", "!="]);
    match if depth == 0 { 0 } else { random.below(13) } {
        0 if random.once_in(2) => random.of(place.event.conditions).to_owned(),
        0 => format!(
            "{} {order} {}",
            number(random, place, 0),
            number(random, place, 0)
        ),
        1 | 2 => {
            let (one, other) = (
                number(random, place, one_less),
                number(random, place, one_less),
            );
            format!("({one} {order} {other})")
        }
        3 if !place.event.times.is_empty() => {
            let (one, other) = (time(random, place, one_less), time(random, place, one_less));
            format!("({one} {order} {other})")
        }
        4 => {
            let (one, other) = (source_of_text(random, place), text(random, place, one_less));
            format!("({one} {same} {other})")
        }
        5 => {
            let part = random.of(&["m", "wasm", "a longer one"]);
            format!("strcontains({}, \"{part}\")", source_of_text(random, place))
        }
        6 => {
            let bytes = 1 + random.below(15);
            let (one, other) = (source_of_text(random, place), text(random, place, one_less));
            format!("(strncmp({one}, {other}, {bytes}) {same} 0)")
        }
        7 if place.in_block => format!("has_key(@n1, {})", number(random, place, one_less)),
        8 => format!("!({})", condition(random, place, one_less)),
        9 => {
            let part = random.of(&["m", "ma", "wasm"]);
            let bytes = part.len() + random.below(2);
            format!(
                "{}[:{bytes}] {same} \"{part}\"",
                source_of_text(random, place)
            )
        }
        10 if random.once_in(2) => format!("elapsed {order} 1s"),
        _ => {
            let operator = random.of(&["&&", "||"]);
            let (one, other) = (
                condition(random, place, one_less),
                condition(random, place, one_less),
            );
            format!("({one} {operator} {other})")
        }
    }
}
