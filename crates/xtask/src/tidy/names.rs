//! What a Rust file names, and how long its functions are, read from its tokens.

use std::iter::Peekable;
use std::vec::IntoIter;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path such as `crate::engine::Program`, wherever it stands; an import's braces are multiplied
/// out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
}

/// A function and the lines from its `fn` to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

type Tokens = Peekable<IntoIter<TokenTree>>;

/// Every path of two segments or more, and every import, with `self` and `super` resolved for the
/// module that the file is.
pub(crate) fn names(stream: TokenStream, module: &[String]) -> Vec<Name> {
    let mut found = Vec::new();
    collect(stream, module, &mut found);
    found
}

fn collect(stream: TokenStream, module: &[String], found: &mut Vec<Name>) {
    let mut tokens = tokens(stream);
    let mut previous = String::new();
    while let Some(token) = tokens.next() {
        let current = token.to_string();
        match token {
            TokenTree::Group(group) => collect(group.stream(), module, found),
            TokenTree::Ident(name) if previous == "mod" => {
                let inner: Vec<String> = [module, &[name.to_string()]].concat();
                if let Some(TokenTree::Group(body)) = tokens.peek() {
                    collect(body.stream(), &inner, found);
                    tokens.next();
                }
            }
            TokenTree::Ident(first) => {
                let mut paths = Vec::new();
                let start = vec![first.to_string()];
                follow(&mut tokens, start, first.span().start().line, &mut paths);
                paths.retain(|path| path.segments.len() > 1 || previous == "use");
                found.extend(paths.into_iter().map(|path| absolute(path, module)));
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        previous = current;
    }
}

/// Reads on behind a path's first segment, into the braces of an import too.
fn follow(tokens: &mut Tokens, mut segments: Vec<String>, line: usize, found: &mut Vec<Name>) {
    while skip_colons(tokens) {
        match tokens.peek() {
            Some(TokenTree::Ident(segment)) => segments.push(segment.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                branch(group, &segments, found);
                tokens.next();
                return;
            }
            _ => break,
        }
        tokens.next();
    }
    found.push(Name { line, segments });
}

fn branch(group: &Group, prefix: &[String], found: &mut Vec<Name>) {
    let mut tokens = tokens(group.stream());
    while let Some(token) = tokens.next() {
        if let TokenTree::Ident(segment) = token {
            let segments = [prefix, &[segment.to_string()]].concat();
            follow(&mut tokens, segments, segment.span().start().line, found);
        }
    }
}

fn skip_colons(tokens: &mut Tokens) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    let mut ahead = tokens.clone();
    let both =
        ahead.next().is_some_and(|t| is_colon(&t)) && ahead.next().is_some_and(|t| is_colon(&t));
    if both {
        *tokens = ahead;
    }
    both
}

fn absolute(name: Name, module: &[String]) -> Name {
    let mut base = module.to_vec();
    let mut rest = name.segments.iter().peekable();
    let relative = rest.peek().is_some_and(|first| *first == "self" || *first == "super");
    if !relative {
        return name;
    }
    while let Some(step) = rest.next_if(|step| *step == "self" || *step == "super") {
        if step == "super" {
            base.pop();
        }
    }
    let segments = std::iter::once("crate".to_owned()).chain(base).chain(rest.cloned()).collect();
    Name { line: name.line, segments }
}

/// Every function with a body, nested ones included.
pub(crate) fn functions(stream: TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut previous = String::new();
    for token in stream {
        let current = token.to_string();
        match &token {
            TokenTree::Ident(name) if previous == "fn" => {
                open = Some((name.to_string(), name.span().start().line));
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => open = None,
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace
                    && let Some((name, line)) = open.take()
                {
                    let lines = group.span_close().end().line + 1 - line;
                    found.push(Function { name, line, lines });
                }
                found.extend(functions(group.stream()));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        previous = current;
    }
    found
}

fn tokens(stream: TokenStream) -> Tokens {
    stream.into_iter().collect::<Vec<_>>().into_iter().peekable()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot lex its own example should stop")]
mod tests {
    use super::*;

    fn found(text: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        let stream = text.parse().expect("the example lexes");
        names(stream, &module).into_iter().map(|name| name.segments.join("::")).collect()
    }

    #[test]
    fn imports_are_multiplied_out() {
        let all = found("use crate::{trust::Key, engine::{self, program::*}};", &[]);
        let expected = ["crate::trust::Key", "crate::engine", "crate::engine::self"];
        assert!(all.contains(&expected[0].to_owned()), "{all:?}");
        assert!(all.iter().any(|name| name.starts_with(expected[1])), "{all:?}");
        assert!(all.contains(&"crate::engine::program".to_owned()), "{all:?}");
    }

    #[test]
    fn paths_in_bodies_types_and_macros_are_found() {
        let text = "fn f(a: crate::gate::Gate) { assert!(crate::wasm::version() == x); }";
        assert_eq!(found(text, &[]), ["crate::gate::Gate", "crate::wasm::version"]);
    }

    #[test]
    fn super_is_resolved_in_inline_modules_too() {
        let text = "use super::trust::Key; mod tests { use super::super::trust::Key; }";
        assert_eq!(found(text, &["engine"]), ["crate::trust::Key", "crate::trust::Key"]);
    }

    #[test]
    fn comments_and_strings_name_nothing() {
        assert!(found("/// [`f`](crate::gate::f)\nfn f() { \"crate::gate\"; }", &[]).is_empty());
    }

    #[test]
    fn functions_are_measured() {
        let text = "trait T {\n fn none();\n fn some() {\n\n }\n}\nfn last() {}";
        let all = functions(text.parse().expect("the example lexes"));
        let all: Vec<_> = all.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(all, [("some", 3, 3), ("last", 7, 1)]);
    }
}
