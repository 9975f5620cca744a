//! The clocks of the nodes, as the document tells them.

use super::{Document, MemberDoc, NodeDoc};
use crate::model::ClockSkew;

impl MemberDoc {
    /// By how much its host's clock is ahead of ours.
    pub fn clock(&self) -> Option<ClockSkew> {
        ClockSkew::around(self.clock_skew_ms?, self.clock_skew_within_ms?)
    }
}

impl NodeDoc {
    /// By how much its clock is ahead of ours, by its own word, or was when it could be asked last.
    pub fn clock(&self) -> Option<ClockSkew> {
        ClockSkew::around(self.clock_skew_ms?, self.clock_skew_within_ms?)
    }
}

impl Document {
    /// The clocks that are known now: the members', and of what else there is those that answer.
    pub fn clocks(&self) -> impl Iterator<Item = (&str, ClockSkew)> {
        let members = self.members.iter().filter_map(|member| Some((member.name.as_str(), member.clock()?)));
        let others = self.nodes.iter().filter(|node| node.asked.fresh && !self.members.iter().any(|member| member.name == node.name));
        members.chain(others.filter_map(|node| Some((node.name.as_str(), node.clock()?))))
    }
}
