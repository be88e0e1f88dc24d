//! Which entitlements of a page share a shape, and what each keeps for itself.
//!
//! Entitlements that differ in nothing but usage share a shape at once. What is left is small
//! groups; each joins the shape that makes its members longer by less than a shape of its own
//! costs.

use std::collections::HashMap;

use super::tokens::Token;

/// Shapes, and which of them each entitlement has.
pub(super) struct Sharing {
    pub(super) shapes: Vec<Shape>,
    pub(super) of: Vec<usize>,
}

/// The values that some entitlements of a page share.
pub(super) struct Shape {
    pub(super) config: Option<usize>,
    pub(super) tokens: Vec<Token>,
}

/// Entitlements that differ in nothing.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The place of their config in the page.
    pub(super) config: Option<usize>,
    pub(super) tokens: &'a [Token],
    /// How many they are.
    pub(super) count: usize,
}

/// Entitlements that are alike except for usage.
struct Group {
    /// The places of entries.
    members: Vec<usize>,
    /// How many entitlements they are.
    count: usize,
}

/// How many shapes of a kind are tried before a group gets its own.
const SHAPES_TRIED: usize = 24;
/// What a shape costs beside its fields, and what an own part costs beside its differences.
const SHAPE_OVERHEAD: usize = 4;
const OWN_OVERHEAD: usize = 2;

impl Sharing {
    pub(super) fn of(entries: &[Entry<'_>]) -> Self {
        let mut groups = alike(entries);
        groups.sort_by_key(|group| core::cmp::Reverse(group.count));
        let mut kept: Vec<Group> = Vec::new();
        let mut kinds: HashMap<(Option<usize>, Vec<u64>), Vec<usize>> = HashMap::new();
        for group in groups {
            let Some(entry) = group.first(entries) else { continue };
            let candidates = kinds.entry((entry.config, kind(entry.tokens))).or_default();
            match cheapest(&group, entry.tokens, candidates, &kept, entries) {
                Some(shape) => {
                    if let Some(host) = kept.get_mut(shape) {
                        host.members.extend(group.members);
                        host.count += group.count;
                    }
                }
                None => {
                    candidates.push(kept.len());
                    kept.push(group);
                }
            }
        }
        Self::from_groups(&kept, entries)
    }

    fn from_groups(groups: &[Group], entries: &[Entry<'_>]) -> Self {
        let mut of = vec![0; entries.len()];
        let mut shapes = Vec::with_capacity(groups.len());
        for (index, group) in groups.iter().enumerate() {
            for member in &group.members {
                if let Some(shape) = of.get_mut(*member) {
                    *shape = index;
                }
            }
            let config = group.first(entries).and_then(|entry| entry.config);
            shapes.push(Shape { config, tokens: group.common(entries) });
        }
        Self { shapes, of }
    }
}

impl Group {
    fn first<'a>(&self, entries: &[Entry<'a>]) -> Option<Entry<'a>> {
        entries.get(*self.members.first()?).copied()
    }

    /// For each field the most frequent value; of several the smallest.
    fn common(&self, entries: &[Entry<'_>]) -> Vec<Token> {
        let Some(first) = self.first(entries) else { return Vec::new() };
        let rows: Vec<&Entry<'_>> = self.members.iter().filter_map(|m| entries.get(*m)).collect();
        let mut values = Vec::with_capacity(rows.len());
        let column = |(field, token): (usize, &Token)| {
            let value = |row: &&Entry<'_>| row.tokens.get(field).map(|token| (*token, row.count));
            values.clear();
            values.extend(rows.iter().filter_map(value));
            if values.iter().all(|value| value.0 == *token) { *token } else { mode(&mut values) }
        };
        first.tokens.iter().enumerate().map(column).collect()
    }
}

/// Groups of entitlements that differ in nothing but usage, in the order in which they appear.
fn alike(entries: &[Entry<'_>]) -> Vec<Group> {
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut key = Vec::new();
    for (index, Entry { config, tokens, count }) in entries.iter().enumerate() {
        key.clear();
        Token::Shared(config.map_or(0, |config| config as u64 + 1)).put(&mut key);
        let steady = tokens.iter().filter(|token| !matches!(token, Token::Used(_)));
        steady.for_each(|token| token.put(&mut key));
        match places.get(&key).and_then(|place| groups.get_mut(*place)) {
            Some(group) => {
                group.members.push(index);
                group.count += count;
            }
            None => {
                places.insert(key.clone(), groups.len());
                groups.push(Group { members: vec![index], count: *count });
            }
        }
    }
    groups
}

/// What must agree for two entitlements to share a shape.
fn kind(tokens: &[Token]) -> Vec<u64> {
    let shared = |token: &Token| match token {
        Token::Shared(value) => Some(*value),
        _ => None,
    };
    tokens.iter().filter_map(shared).collect()
}

/// The kept shape that a group joins, if that is cheaper than to keep its own.
fn cheapest(
    group: &Group,
    tokens: &[Token],
    candidates: &[usize],
    kept: &[Group],
    entries: &[Entry<'_>],
) -> Option<usize> {
    let alone = SHAPE_OVERHEAD + tokens.iter().map(|token| token.length()).sum::<usize>();
    let cost = |shape: &usize| {
        let host = kept.get(*shape)?.first(entries)?;
        let differing = tokens.iter().zip(host.tokens).filter(|(own, shared)| own != shared);
        let steady = differing.filter(|(own, _)| !matches!(own, Token::Used(_)));
        let each = steady.map(|(own, shared)| own.minus(*shared).length()).sum::<usize>();
        Some((group.count * (each + OWN_OVERHEAD), *shape))
    };
    let best = candidates.iter().take(SHAPES_TRIED).filter_map(cost).min()?;
    if best.0 < alone { Some(best.1) } else { None }
}

/// The most frequent of some values, each told how often it is there; of several the smallest.
fn mode(values: &mut [(Token, usize)]) -> Token {
    values.sort_unstable();
    let frequency = |run: &[(Token, usize)]| run.iter().map(|value| value.1).sum::<usize>();
    let most = values
        .chunk_by(|one, other| one.0 == other.0)
        .reduce(|best, run| if frequency(run) > frequency(best) { run } else { best });
    most.and_then(<[_]>::first).map_or(Token::Shared(0), |value| value.0)
}

/// What is left of an entitlement once its shape is taken away: marks, differences and the ids of
/// its grants. Empty when nothing is.
pub(super) fn own_part(tokens: &[Token], shape: &[Token], ids: &[u8]) -> Vec<u8> {
    let mut marks: Vec<u8> = Vec::new();
    let mut differences = Vec::new();
    let fields = tokens.iter().zip(shape).filter(|(own, _)| !matches!(own, Token::Shared(_)));
    for (field, (own, shared)) in fields.enumerate() {
        if own != shared {
            marks.resize(field / 7 + 1, 0);
            if let Some(group) = marks.last_mut() {
                *group |= 1 << (field % 7);
            }
            own.minus(*shared).put(&mut differences);
        }
    }
    if marks.is_empty() && ids.is_empty() {
        return Vec::new();
    }
    let last = marks.pop().unwrap_or_default();
    let mut out: Vec<u8> = marks.into_iter().map(|group| group | 0x80).collect();
    out.push(last);
    out.extend_from_slice(&differences);
    out.extend_from_slice(ids);
    out
}
