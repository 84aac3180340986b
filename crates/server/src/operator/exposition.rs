//! Reads our own metrics back from the text that Prometheus gets, <https://prometheus.io/docs/instrumenting/exposition_formats/>. Only what
//! `metrics.rs` writes: one metric a line, without a time.

/// One line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample<'a> {
    labels: &'a str,
    pub(crate) value: f64,
}

/// Those of one name.
pub(crate) fn samples<'a>(text: &'a str, name: &str) -> impl Iterator<Item = Sample<'a>> {
    text.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        Some(Sample { labels, value: value.parse().ok()? })
    })
}

impl<'a> Sample<'a> {
    /// The value of a label. None of ours has a quotation mark in it.
    pub(crate) fn label(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.labels.split("\",").filter_map(|pair| pair.split_once("=\""));
        pairs.find(|(label, _)| *label == name).map(|(_, value)| value.trim_end_matches('"'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_are_read_with_their_labels() {
        let text = "# HELP a_b Says it.\na_b{x=\"1, 2\",route=\"/p/{path:.*}\"} 3\na_b 4.5\na_b_sum 7\na_b{x=\"\"} +Inf\na_b{ 1";
        let found: Vec<_> = samples(text, "a_b").collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!((found[0].label("x"), found[0].label("route")), (Some("1, 2"), Some("/p/{path:.*}")));
        assert_eq!((found[0].label("y"), found[1].label("x"), found[2].label("x")), (None, None, Some("")));
        assert!((found[1].value - 4.5).abs() < 1e-9 && found[2].value.is_infinite());
    }
}
