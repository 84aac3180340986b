//! Where in a file each setting stands.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The line of every key of a file, by its path: `section.key`, `list[0].key`.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// Those of a text that is TOML.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.table("", table.get_ref(), &Starts::of(text));
        }
        lines
    }

    /// The line of a key, or of what it is in.
    pub(super) fn at(&self, key: &str) -> Option<usize> {
        let mut key = key;
        loop {
            if let Some(line) = self.0.get(key) {
                return Some(*line);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>, starts: &Starts) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.0.insert(path.clone(), starts.line(key.span().start));
            self.value(&path, value, starts);
        }
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>, starts: &Starts) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table, starts),
            DeValue::Array(array) => {
                for (at, item) in array.iter().enumerate() {
                    let path = format!("{path}[{at}]");
                    self.0.insert(path.clone(), starts.line(item.span().start));
                    self.value(&path, item, starts);
                }
            }
            _ => {}
        }
    }
}

/// Where each line of a text begins.
struct Starts(Vec<usize>);

impl Starts {
    fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after).collect())
    }

    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tables_and_items_of_lists_have_lines() {
        let text = "a = 1\n[b]\nc = [\n  1,\n  2,\n]\n\n[[d]]\nname = \"x\"\n[[d]]\nname = \"y\"\nlist = [{ e = 1 },\n  { e = 2 }]\n";
        let lines = Lines::of(text);
        for (key, line) in [
            ("a", Some(1)),
            ("b", Some(2)),
            ("b.c", Some(3)),
            ("b.c[1]", Some(5)),
            ("d[0].name", Some(9)),
            ("d[1]", Some(10)),
            ("d[1].name", Some(11)),
            ("d[1].list[1].e", Some(13)),
            ("d[1].missing", Some(10)),
            ("d[1].list[1].missing", Some(13)),
            ("e", None),
        ] {
            assert_eq!(lines.at(key), line, "{key}");
        }
        assert_eq!(Lines::of("[").at("a"), None);
    }
}
