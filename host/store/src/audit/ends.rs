//! The ends of the lanes, looked at by whoever reads: a log that a program would not go on with is told to who lists what was done.

use super::activity::Activity;
use super::claim::opening;
use super::error::{AuditError, Fault, Finding};
use super::heads::Kept;
use super::segment::{self, Found, scan};
use crate::error::StoreError;

impl Activity {
    /// Looks at the last segment of each lane, as far as the lane's kept head: at some megabytes. [`verify`](Self::verify) looks at all. Gives
    /// the first that is not as it was written.
    ///
    /// # Errors
    ///
    /// When the store or a file cannot be read.
    pub async fn broken_end(&self) -> Result<Option<Finding>, StoreError> {
        let (lanes, findings) = self.lanes().await?;
        if let Some(finding) = findings.into_iter().next() {
            return Ok(Some(finding));
        }
        for (&lane, kept) in &lanes {
            if let Some(finding) = self.broken_end_of(lane, kept)? {
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }

    fn broken_end_of(&self, lane: u32, kept: &Kept) -> Result<Option<Finding>, AuditError> {
        let (head, folder) = (&kept.head, self.folder());
        if head.number == 0 || head.segment <= kept.base.segment {
            return Ok(None);
        }
        let path = segment::path(folder, lane, head.segment);
        let finding = |fault, offset, record| Finding {
            fault,
            lane,
            file: path.clone(),
            offset,
            record,
            call: None,
        };
        let Some(beginning) = segment::head(&path)? else {
            return Ok(Some(finding(Fault::NoSegment, 0, None)));
        };
        let keys = &self.inner.keys;
        let (_, key, first) = match opening(&beginning, lane, head.segment, None, keys) {
            Ok(opened) => opened,
            Err(fault) => return Ok(Some(finding(fault, 0, None))),
        };
        let bytes = segment::bytes(&path, first.offset)?.unwrap_or_default();
        let mut is_through = first.number == head.number && first.tag == head.tag;
        let each = |found: Found<'_>| -> Result<(), AuditError> {
            is_through |= found.after.number == head.number && found.after.tag == head.tag;
            Ok(())
        };
        let (end, _) = scan(&bytes, first.offset, &key, lane, first, each)?;
        // What comes after the head may be half written by a program that runs.
        Ok(match end.number < head.number {
            true => {
                let (ends, had) = (end.number, head.number);
                let fault = Fault::Short { ends, had };
                Some(finding(fault, end.offset, Some(ends + 1)))
            }
            false if !is_through => {
                let number = head.number;
                Some(finding(
                    Fault::Rewritten { number },
                    head.offset,
                    Some(number),
                ))
            }
            false => None,
        })
    }
}
