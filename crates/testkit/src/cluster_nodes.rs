//! What a node of a Redis Cluster thinks of all nodes: the answer of `CLUSTER NODES`.

use std::ops::RangeInclusive;

/// One node, as another one or it itself sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NodeLine {
    pub(crate) id: String,
    /// Whether this is the node that was asked.
    pub(crate) myself: bool,
    pub(crate) primary: bool,
    /// Of two that claim a slot, the one with the higher epoch is right.
    pub(crate) epoch: u64,
    slots: Vec<RangeInclusive<u16>>,
}

impl NodeLine {
    pub(crate) fn owns(&self, slot: u16) -> bool {
        self.slots.iter().any(|range| range.contains(&slot))
    }

    pub(crate) fn owns_any(&self) -> bool {
        !self.slots.is_empty()
    }
}

/// Reads the answer; a line that is none is left out.
pub(crate) fn parse(text: &str) -> Vec<NodeLine> {
    text.lines().filter_map(line).collect()
}

// id address flags primary ping pong epoch link slot…
fn line(line: &str) -> Option<NodeLine> {
    let words: Vec<_> = line.split_whitespace().collect();
    let flags: Vec<_> = words.get(2)?.split(',').collect();
    Some(NodeLine {
        id: (*words.first()?).to_owned(),
        myself: flags.contains(&"myself"),
        primary: flags.contains(&"master"),
        epoch: words.get(6)?.parse().ok()?,
        slots: words.iter().skip(8).filter_map(|word| slots(word)).collect(),
    })
}

/// `7` or `0-5460`; a slot on its way stands in brackets, beside the range that has it.
fn slots(word: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read() {
        let text = "a 127.0.0.1:1@2 myself,master - 0 0 3 connected 0-10 12 [5->-b]\n\
                    b 127.0.0.1:3@4,host slave,fail a 0 0 3 disconnected\n\nbent\n";
        let nodes = parse(text);
        assert_eq!(nodes.len(), 2);
        let (a, b) = (&nodes[0], &nodes[1]);
        assert!(a.myself && a.primary && a.owns_any() && a.owns(10) && a.owns(12) && !a.owns(11));
        assert_eq!((a.id.as_str(), a.epoch), ("a", 3));
        assert!(!b.myself && !b.primary && !b.owns_any());
    }
}
