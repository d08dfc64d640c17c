//! The codes of errors: stable, one for each kind.

use std::fmt;

use crate::page::Page;

macro_rules! codes {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        /// What kind of error it is. Numbers never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("E", stringify!($number), ": ", $meaning)] $name,)*
        }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code as it is printed, such as `E0203`.
            pub fn id(self) -> &'static str {
                match self {
                    $(Code::$name => concat!("E", stringify!($number)),)*
                }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$name => $meaning,)*
                }
            }

            /// Its page: what it means, a script that has the error, and the way out. A new code needs a
            /// page, `docs/errors/E….md`; `UPDATE_EXPECT=1` fills in how the error is shown.
            pub fn page(self) -> Page {
                let text = match self {
                    $(Code::$name => include_str!(concat!("../../docs/errors/E", stringify!($number), ".md")),)*
                };
                Page::new(text)
            }
        }
    };
}

// The numbers are written without a digit separator and with leading zeros, as they are printed.
codes! {
    Unexpected = 0001, "the script does not follow the grammar at this place";
    Unterminated = 0002, "a string or a comment is never closed";
    Unbalanced = 0003, "a bracket is never closed, or closes nothing";
    TooDeep = 0004, "brackets or operators nest too deep";
    BadNumber = 0005, "a number is malformed, has an unknown unit or does not fit into 64 bits";
    BadEscape = 0006, "a string has an escape that does not exist";
    TooLarge = 0007, "the script, or something in it, is larger than what is accepted";
    Duplicate = 0101, "a name or a clause is given twice";
    Reserved = 0102, "a parameter has a name that already means something";
    UnknownName = 0103, "no builtin, parameter or named value has this name";
    UnknownFunction = 0104, "no function or aggregate has this name";
    EmptyTable = 0105, "a table has no column";
    UnknownColumn = 0106, "no column or key of the table has this name";
    NotConstant = 0107, "a value has to be known before the script runs, and is not";
    UnknownTable = 0108, "no table has this name";
    UnknownProbe = 0201, "no kind of probe has this name";
    UnknownRuntime = 0202, "no runtime in the catalogue has this name";
    UnknownWasiFunction = 0203, "no WASI function has this name";
    EmptyGlob = 0204, "a glob matches nothing";
    BadProbe = 0205, "a probe has too few or too many parts";
    UnknownSyscall = 0210, "no system call has this name";
    UnknownPhase = 0211, "no phase of a process has this name";
    UnknownTracepoint = 0212, "this machine has no tracepoint of this name";
    NotOnMachine = 0213, "what a probe needs to know of the machine is not known";
    OtherTypes = 0214, "a table keeps values of different types at its events";
    MixedTypes = 0301, "two values of different types are combined or compared";
    NotANumber = 0302, "arithmetic needs numbers, times or sizes";
    NotACondition = 0303, "a condition is needed, and this is a value, or the other way round";
    UnknownErrno = 0304, "no WASI error number has this name";
    BadText = 0305, "a text cannot be used here, or is too long to compare with";
    Fraction = 0306, "the kernel computes with whole numbers";
    NotSingle = 0320, "a tuple where a single value is needed, or a part that a tuple does not have";
    UnknownArgument = 0321, "a probe has no argument of this name";
    NotHere = 0322, "a value that the event does not have";
    BareBuiltin = 0401, "a column has a value of one call where it needs an aggregate over calls";
    NestedAggregate = 0402, "an aggregate of an aggregate";
    BadArgument = 0403, "an aggregate or function cannot take this argument";
    ArgumentCount = 0404, "an aggregate or function has too few or too many arguments";
    MisplacedAggregate = 0405, "an aggregate that is neither in a column nor put into a map";
    WrongUnit = 0406, "a unit does not suit the type of the column";
    UnknownUnit = 0407, "no unit has this name";
    ConstantKey = 0408, "a key that is the same for every call";
    NothingToSelect = 0409, "an `if` on a column that has no aggregate";
    KeyCount = 0410, "a row of a table is looked up with too few or too many keys";
    SeveralTables = 0411, "a check over all rows of more than one table";
    UnknownParam = 0501, "the script has no parameter of this name";
    BadParamValue = 0502, "the value of a parameter has the wrong type";
    NoCall = 0601, "a value of a call where there is no call";
    Unassigned = 0602, "a variable is used before it has a value";
    TwoWays = 0603, "a map or a variable is used in two ways";
    NeverFilled = 0604, "a map is read, and nothing is put into it";
    AggregateRead = 0605, "an aggregate in a map is used like a number";
    BadFormat = 0606, "a format has a conversion that does not exist";
    FormatArguments = 0607, "the values of a `printf` do not suit its format";
    NoEffect = 0608, "a statement that does nothing";
    NoValue = 0609, "a function that does something stands where a value is needed";
    NoLoop = 0610, "`break` or `continue` outside of a loop";
    Unsafe = 0611, "a function that only runs with `--unsafe`";
    UnknownSetting = 0801, "no setting has this name";
    BadSetting = 0802, "a setting cannot have this value";
    BadImport = 0803, "a script that is imported cannot be read, or imports itself";
    NotImported = 0804, "a script that is imported has something that only a main script can have";
    MacroArguments = 0805, "a macro is called with arguments that do not suit its parameters";
    MacroValue = 0806, "a macro stands for something that cannot stand at its place";
    MacroCycle = 0807, "a macro or an alias stands for itself";
    MacroSize = 0808, "macros stand for more than is accepted";
    AliasPrologue = 0809, "the prologue of an alias cannot be used by a table";
    NothingToDo = 0810, "a script has nothing to do";
    NotYet = 0901, "part of the language, but this version does not run it yet";
    NotInLanguage = 0902, "bpftrace has it, this language leaves it out";
}

impl Code {
    /// The code that is printed like this, such as `E0203`; upper or lower case.
    pub fn from_id(id: &str) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(id))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_the_way_it_is_printed() {
        assert_eq!(Code::UnknownWasiFunction.to_string(), "E0203");
        assert_eq!(Code::from_id("e0203"), Some(Code::UnknownWasiFunction));
        assert_eq!(Code::from_id("E9999"), None);
    }

    #[test]
    fn no_two_codes_share_a_number() {
        let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        ids.dedup();
        assert_eq!(ids.len(), Code::ALL.len());
        assert!(ids.is_sorted());
    }
}
