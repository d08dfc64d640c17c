//! Random scripts, as texts: what the language accepts the compiler compiles, and the kernel takes.

mod block;
mod event;
mod script;
mod terms;

use ewapa_lang::plan::Plan;
use ewapa_lang::{Code, Environment, compile, render};

use super::machine_of_scripts::Machine;
use crate::program::{Program, generate};
use script::script;

/// How many scripts a long test makes, if the variable says so: `EWAPA_RANDOM_SCRIPTS=10000`.
const HOW_MANY: &str = "EWAPA_RANDOM_SCRIPTS";
/// What makes random programs and scripts others than those of a run that says nothing: `EWAPA_RANDOM_SEED=7`.
const SEED: &str = "EWAPA_RANDOM_SEED";
/// The number of scripts of a run that says nothing else.
const FEW: u64 = 200;

/// What they are compiled for.
pub const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmi", "node"],
    host: Some(&Machine),
    arguments: &["7", "a text"],
    ..Environment::EMPTY
};

/// The number in a variable of the environment.
pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What random choices begin with.
pub fn seed() -> u64 {
    number(SEED).unwrap_or(0)
}

/// Where random choices come from: SplitMix64.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number of 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below the end.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of them.
    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// Holds once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// The script that is made of this number.
pub fn script_of(number: u64) -> String {
    script(&mut Random(number))
}

/// A random script that the language accepts.
pub struct Accepted {
    /// As it is written.
    pub text: String,
    pub plan: Plan,
    pub program: Program,
    /// The number that it was made of, for what is to happen to it.
    pub number: u64,
}

/// Hands each random script that the language accepts to the check.
pub fn each_accepted(mut check: impl FnMut(&Accepted)) {
    let (many, seed) = (number(HOW_MANY).unwrap_or(FEW), seed());
    let (mut accepted, mut tried) = (0, 0u64);
    while accepted < many {
        let number = seed << 40 | tried;
        let text = script_of(number);
        tried += 1;
        match compile(&text, &ENVIRONMENT, &[]) {
            Ok(compiled) => {
                let program = generate(&compiled.plan);
                let program = program.unwrap_or_else(|error| {
                    panic!("script {tried}: {error}\n{text}");
                });
                let plan = compiled.plan;
                check(&Accepted {
                    text,
                    plan,
                    program,
                    number,
                });
                accepted += 1;
                if accepted % 500 == 0 {
                    eprintln!("{accepted} scripts of {tried}");
                }
            }
            // What is random is well typed, but may be too large.
            Err(errors) => {
                let is_large = errors.iter().any(|error| error.code == Code::TooLarge);
                assert!(is_large, "{}", render(&errors, "random.ewq", &text, false));
            }
        }
        assert!(tried < 10 + 5 * many, "too many scripts are too large");
    }
}

#[test]
fn what_the_language_accepts_the_compiler_compiles() {
    each_accepted(|_| ());
}

/// The program of a script.
pub fn program_of(text: &str) -> Program {
    let compiled = compile(text, &ENVIRONMENT, &[]).expect("a script without errors");
    generate(&compiled.plan).expect("a script that fits")
}
