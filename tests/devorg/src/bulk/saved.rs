//! How the rows and the data of jobs are saved: `#[serde(with = "saved::rows")]`.

/// The cells of a row.
pub(super) mod row {
    use csv::StringRecord;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(row: &StringRecord, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(row)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<StringRecord, D::Error> {
        Vec::<String>::deserialize(from).map(Into::into)
    }
}

/// Rows.
pub(super) mod rows {
    use csv::StringRecord;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<'r, S: Serializer>(
        rows: impl IntoIterator<Item = &'r StringRecord>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let rows = rows.into_iter();
        to.collect_seq(rows.map(|row| row.iter().collect::<Vec<&str>>()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, R: FromIterator<StringRecord>>(
        from: D,
    ) -> Result<R, D::Error> {
        let rows = Vec::<Vec<String>>::deserialize(from)?;
        Ok(rows.into_iter().map(StringRecord::from).collect())
    }
}

/// The rows that were found, if the job is done.
pub(super) mod shared_rows {
    use std::sync::Arc;

    use csv::StringRecord;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        rows: &Option<Arc<Vec<StringRecord>>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let rows = rows.as_ref().map(|rows| {
            let rows = rows.iter();
            rows.map(|row| row.iter().collect())
                .collect::<Vec<Vec<&str>>>()
        });
        rows.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<Vec<StringRecord>>>, D::Error> {
        let rows = Option::<Vec<Vec<String>>>::deserialize(from)?;
        Ok(rows.map(|rows| Arc::new(rows.into_iter().map(StringRecord::from).collect())))
    }
}

/// Bytes, as base64.
pub(super) mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        bytes
            .as_ref()
            .map(|bytes| STANDARD.encode(bytes))
            .serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let bytes = text.map(|text| STANDARD.decode(text)).transpose();
        bytes.map_err(D::Error::custom)
    }
}
