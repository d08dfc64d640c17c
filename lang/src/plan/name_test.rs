//! What a script asks about names that are known only while it runs.

use crate::types::Enumeration;

/// What a name is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// It is this one.
    Whole(String),
    /// It begins so; shorter texts than so many bytes have to be the whole name.
    Start(String, u16),
    /// It contains this.
    Part(String),
}

/// A question about the name of a module, a probe or the function that a probe is in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameTest {
    /// What has the name.
    pub of: Enumeration,
    /// What is asked of it.
    pub wanted: Wanted,
}

impl NameTest {
    /// A plan has at most so many: the answers for a name are the bits of a word.
    pub const MOST: usize = 64;

    /// Whether a name is accepted.
    pub fn accepts(&self, name: &str) -> bool {
        match &self.wanted {
            Wanted::Whole(text) => name == text,
            Wanted::Start(text, bytes) => {
                let first = |text: &str| text.bytes().take(usize::from(*bytes)).collect::<Vec<_>>();
                first(name) == first(text)
            }
            Wanted::Part(text) => name.contains(text.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_compared_as_strncmp_does() {
        let accepts = |text: &str, bytes, name| {
            let wanted = Wanted::Start(text.to_owned(), bytes);
            let of = Enumeration::Module;
            NameTest { of, wanted }.accepts(name)
        };
        assert!(accepts("app", 3, "app.wasm"));
        assert!(accepts("apple", 3, "app.wasm"));
        assert!(!accepts("app", 4, "app.wasm"));
        assert!(accepts("app", 4, "app"));
    }
}
