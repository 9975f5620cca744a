//! `[clusters.NAME.airflow]` of pgbaton.toml.

use super::draft::AirflowDraft;
use super::pgbaton_toml::Reader;
use super::section::Section;

impl Reader<'_> {
    /// The table `airflow`; `None` when there is none.
    pub fn airflow(&mut self, table: &Section<'_>) -> Option<AirflowDraft> {
        let section = table.table("airflow", self.out)?;
        section.only(&["database", "schema"], self.out);
        Some(AirflowDraft { database: section.text("database", self.out), schema: section.text("schema", self.out) })
    }
}
