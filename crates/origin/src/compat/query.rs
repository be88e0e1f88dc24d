//! What stands behind the question mark.

use std::borrow::Cow;

use axum::http::Uri;

/// Parameters, in the order in which they were given.
#[derive(Clone, Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A parameter; the last one, where it is given twice.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.iter().filter(|(key, _)| *key == name).map(|(_, value)| value).last()
    }

    /// All values of a parameter that may be given several times; `None` where it is not given.
    pub(super) fn all(&self, name: &str) -> Option<Vec<&str>> {
        let values: Vec<&str> =
            self.iter().filter(|(key, _)| *key == name).map(|(_, value)| value).collect();
        (!values.is_empty()).then_some(values)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same parameters but for some, which take other values.
    pub(super) fn with(&self, without: &[&str], more: &[(&str, Cow<'_, str>)]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.iter().filter(|(name, _)| !without.contains(name)));
        text.extend_pairs(more);
        text.finish()
    }
}
