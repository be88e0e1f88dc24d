//! Several features in one question: `a|b&!c`.

use super::Reason;
use crate::error::Error;

/// A condition on what a subject may use.
///
/// `&` joins groups, all of which must hold; `|` joins the names in a group, one of which is
/// enough, so it binds tighter; `!` before a group negates all of it; `*` stands for a feature that
/// everybody may use. There are no brackets. Spaces around names count for nothing. A feature whose
/// key has one of these signs cannot be named.
///
/// ```
/// use edgegrant::gate::Expression;
///
/// let expression = Expression::parse("detect|respond & !trial")?;
/// assert!(expression.holds(|feature| feature == "respond"));
/// assert!(!expression.holds(|feature| feature != "detect"));
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    groups: Vec<Group>,
}

/// Names of which one is enough, or of which none may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    negated: bool,
    names: Vec<String>,
}

const EVERYBODY: &str = "*";

impl Expression {
    /// The longest text that is read, in bytes.
    pub const MAX_BYTES: usize = 4096;

    /// Reads an expression.
    ///
    /// # Errors
    /// `expression-too-long` beyond [`Expression::MAX_BYTES`]; `expression-malformed` where a name
    /// is missing, or `!` stands elsewhere than once before a group.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > Self::MAX_BYTES {
            return Err(TOO_LONG);
        }
        let groups = text.split('&').map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether it holds for whoever has access to the features that `has_access` says.
    pub fn holds(&self, mut has_access: impl FnMut(&str) -> bool) -> bool {
        self.groups.iter().all(|group| group.holds(&mut |name| Some(has_access(name))))
    }

    /// Whether it holds by the reasons of decisions, some of which cannot tell.
    pub(super) fn satisfied(&self, decide: impl Fn(&str) -> Reason) -> bool {
        let known = |reason: Reason| reason.is_known().then_some(reason.has_access());
        self.groups.iter().all(|group| group.holds(&mut |name| known(decide(name))))
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (negated, names) = match text.strip_prefix('!') {
            Some(names) => (true, names),
            None => (false, text),
        };
        let names = names.split('|').map(str::trim);
        if names.clone().any(|name| name.is_empty() || name.contains('!')) {
            return Err(MALFORMED);
        }
        Ok(Self { negated, names: names.map(str::to_owned).collect() })
    }

    /// Where access is not known, neither a group nor its negation can count on it.
    fn holds(&self, has_access: &mut dyn FnMut(&str) -> Option<bool>) -> bool {
        let mut may = |name: &String| if name == EVERYBODY { Some(true) } else { has_access(name) };
        match self.negated {
            true => self.names.iter().all(|name| may(name) == Some(false)),
            false => self.names.iter().any(|name| may(name) == Some(true)),
        }
    }
}

const TOO_LONG: Error =
    Error::new("expression-too-long", "the expression is longer than 4096 bytes; ask in parts");
const MALFORMED: Error = Error::new(
    "expression-malformed",
    "the expression lacks a name, or has `!` within a group; write it like a|b&!c",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let has_access = |feature: &str| ["yes", "also yes"].contains(&feature);
        Expression::parse(text).is_ok_and(|expression| expression.holds(has_access))
    }

    #[test]
    fn groups_are_joined_and_negated_whole() {
        let truths = [
            ("yes", true),
            ("no", false),
            ("!yes", false),
            ("!no", true),
            ("yes|no", true),
            ("no|yes", true),
            ("no|never", false),
            ("!no|yes", false),
            ("!no|never", true),
            ("yes&also yes", true),
            ("yes&no", false),
            ("no&yes", false),
            ("no|yes&!never", true),
            ("no|yes&!yes", false),
            ("!no&!never", true),
            (" yes | no & ! never ", true),
            ("*", true),
            ("!*", false),
            ("*&!*", false),
            ("no|*", true),
            ("*yes", false),
        ];
        for (text, expected) in truths {
            assert_eq!(holds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_neither_so_nor_not_so() {
        let decide = |feature: &str| match feature {
            "yes" => Reason::Boolean,
            "no" => Reason::NotEntitled,
            "open" => Reason::OpenPolicy,
            "invalid" => Reason::PageInvalid,
            _ => Reason::NotResident,
        };
        let truths = [
            ("lost", false),
            ("!lost", false),
            ("!invalid", false),
            ("lost|yes", true),
            ("lost|no", false),
            ("!lost|no", false),
            ("!no", true),
            ("!open", false),
            ("open & yes", true),
            ("yes & !lost", false),
            ("*", true),
        ];
        for (text, expected) in truths {
            let satisfied = Expression::parse(text).map(|read| read.satisfied(decide));
            assert_eq!(satisfied, Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_lacks_a_name_is_refused() {
        for text in ["", " ", "&", "yes&", "&yes", "yes||no", "|yes", "!", "!!yes", "no|!yes"] {
            let refused = Expression::parse(text).map_err(|error| error.code());
            assert_eq!(refused, Err("expression-malformed"), "{text}");
        }
        let long = "a".repeat(Expression::MAX_BYTES + 1);
        assert_eq!(Expression::parse(&long), Err(TOO_LONG));
        assert!(Expression::parse(&long[1..]).is_ok());
    }

    #[test]
    fn no_more_is_asked_than_decides() {
        let mut asked = Vec::new();
        let expression = Expression::parse("a|b&c|d&e");
        let holds = expression.is_ok_and(|expression| {
            expression.holds(|feature| {
                asked.push(feature.to_owned());
                feature == "a"
            })
        });
        assert!(!holds);
        assert_eq!(asked, ["a", "c", "d"]);
    }
}
