//! The headers of a request, in whichever type a framework keeps them.

/// Gives the values of a header.
pub trait Headers {
    /// Every value of the header of this name, which is in lower case, in the order in which they came.
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]>;

    /// The value of the header, where there is exactly one.
    fn one(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.all(name);
        let (first, None) = (all.next()?, all.next()) else { return None };
        Some(first)
    }

    /// The same as text.
    fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.one(name)?).ok()
    }
}

/// Headers as a test writes them.
#[cfg(test)]
impl Headers for [(&'static str, &'static str)] {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_bytes())
    }
}
