//! From clean text back to the source.

use std::ops::Range;

/// Where each byte of the clean text came from.
///
/// Clean text is the source with a few stretches replaced or removed, so the map holds only those
/// edits, sorted; everything between two edits was copied byte for byte. A document that needed no
/// cleaning has an empty map.
#[derive(Debug, Clone, Default)]
pub(crate) struct OffsetMap {
    edits: Vec<Edit>,
}

/// `source[source_start..source_end]` reads `clean[clean_start..clean_end]`. One of them may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edit {
    clean_start: usize,
    clean_end: usize,
    source_start: usize,
    source_end: usize,
}

impl OffsetMap {
    pub(crate) fn is_identity(&self) -> bool {
        self.edits.is_empty()
    }

    /// Records that a stretch of the source was replaced. Edits come in order.
    pub(crate) fn push(&mut self, clean: Range<usize>, source: Range<usize>) {
        if clean.len() == source.len() && clean.is_empty() {
            return;
        }
        debug_assert!(
            self.edits
                .last()
                .is_none_or(|e| e.clean_end <= clean.start && e.source_end <= source.start)
        );
        if let Some(last) = self.edits.last_mut()
            && last.clean_start == last.clean_end
            && clean == (last.clean_end..last.clean_end)
            && last.source_end == source.start
        {
            last.source_end = source.end; // More of what is left out.
            return;
        }
        self.edits.push(Edit {
            clean_start: clean.start,
            clean_end: clean.end,
            source_start: source.start,
            source_end: source.end,
        });
    }

    /// The source bytes of a non-empty range of clean bytes.
    ///
    /// A replaced stretch is taken whole when the range touches any of it. What was removed before the
    /// first or after the last byte of the range is not part of the result.
    pub(crate) fn to_source(&self, clean: Range<usize>) -> Range<usize> {
        debug_assert!(clean.start < clean.end);
        self.start_in_source(clean.start)..self.end_in_source(clean.end)
    }

    fn start_in_source(&self, start: usize) -> usize {
        let after = self.edits.partition_point(|e| e.clean_start <= start);
        match after.checked_sub(1).map(|i| self.edits[i]) {
            None => start,
            Some(e) if start < e.clean_end => e.source_start,
            Some(e) => e.source_end + (start - e.clean_end),
        }
    }

    fn end_in_source(&self, end: usize) -> usize {
        // The last edit that begins before the last byte of the range, or at it.
        let after = self.edits.partition_point(|e| e.clean_start < end);
        match after.checked_sub(1).map(|i| self.edits[i]) {
            None => end,
            Some(e) if end <= e.clean_end && e.clean_start < e.clean_end => e.source_end,
            Some(e) => e.source_end + (end - e.clean_end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source `a\r\nb\u{ad}c`: the carriage return and the soft hyphen are removed.
    fn sample() -> OffsetMap {
        let mut map = OffsetMap::default();
        map.push(1..1, 1..2);
        map.push(3..3, 4..6);
        map
    }

    #[test]
    fn removals_before_and_after_a_range_are_left_out() {
        let map = sample();
        assert_eq!(map.to_source(0..1), 0..1); // a
        assert_eq!(map.to_source(1..2), 2..3); // \n
        assert_eq!(map.to_source(2..3), 3..4); // b
        assert_eq!(map.to_source(3..4), 6..7); // c
        assert_eq!(map.to_source(2..4), 3..7); // b, soft hyphen, c
        assert_eq!(map.to_source(0..4), 0..7);
    }

    #[test]
    fn a_replacement_is_taken_whole() {
        // Nine bytes of mojibake read as a quotation mark of three.
        let mut map = OffsetMap::default();
        map.push(2..5, 2..10);
        assert_eq!(map.to_source(0..3), 0..10);
        assert_eq!(map.to_source(4..6), 2..11);
        assert_eq!(map.to_source(5..6), 10..11);
        assert_eq!(map.to_source(0..2), 0..2);
    }
}
