//! The companies: whether the user belongs to each, and then the attributes of those that stand. A membership that is
//! refused refuses the company's attributes for the same reason.

use super::{
    Candidate, Item, Owner, Ruling,
    ledger::{Page, Refusals},
    rule,
};
use crate::{
    decode::{
        Attribute, Context,
        companies::{Entry, Membership, Statement},
    },
    domain::{
        Reason,
        arena::ArenaVec,
        snapshot::Enforcement,
        verdict::{Company, MEMBERSHIP},
    },
    verify::{
        Verified,
        hash::{self, Tries},
    },
};

/// Rules on every company. `None` where nothing was said of them, or all were refused.
pub(super) fn decide<'a>(
    context: &Context<'a>,
    event: &Verified<'a>,
    refusals: &mut Refusals<'a>,
    user: &mut Page<'a>,
) -> Option<&'a [Company<'a>]> {
    let signed = event.signed.map_or_else(Membership::default, |claims| claims.membership);
    let unsigned = event.unsigned.membership;
    let mut roll = Roll {
        context,
        event,
        signed,
        refusals,
        user,
        accepted: context.arena.list_with(signed.entries.len() + unsigned.entries.len()),
        emptied: false,
        tries: Tries::new(event.organization, event.time, unsigned.entries.len()),
    };
    roll.read(Said { membership: signed, signed: true });
    roll.read(Said { membership: unsigned, signed: false });
    let Roll { accepted, emptied, .. } = roll;
    (emptied || !accepted.is_empty()).then(|| accepted.into_bump_slice() as &[_])
}

/// The companies on their way to the verdict.
struct Roll<'r, 'a> {
    context: &'r Context<'a>,
    event: &'r Verified<'a>,
    signed: Membership<'a>,
    refusals: &'r mut Refusals<'a>,
    user: &'r mut Page<'a>,
    accepted: ArenaVec<'a, Company<'a>>,
    /// An empty list was accepted: it clears.
    emptied: bool,
    /// What the companies' hashes may cost together.
    tries: Tries<'a>,
}

/// What the token says of companies, or what the client says beside it.
#[derive(Clone, Copy)]
struct Said<'a> {
    membership: Membership<'a>,
    signed: bool,
}

/// A company that the user belongs to.
#[derive(Clone, Copy)]
struct Member<'a> {
    id: &'a str,
    /// The membership is signed, or proven by a hash.
    verified: bool,
    /// The company's attributes are signed.
    signed: bool,
}

impl<'a> Roll<'_, 'a> {
    fn read(&mut self, said: Said<'a>) {
        let Membership { statement, entries } = said.membership;
        if entries.is_empty() || statement == Statement::Misfit {
            self.statement(said);
        }
        let before = if said.signed { 0 } else { self.signed.entries.len() };
        for (position, entry) in entries.iter().enumerate() {
            match self.membership(said, position, entry) {
                Ok(member) => self.accept(member, entry),
                Err(ruling) => self.refuse(before + position, entry, ruling),
            }
        }
    }

    /// `companies` as a whole: null, an empty list, or something that is no list.
    fn statement(&mut self, Said { membership, signed }: Said<'a>) {
        let ruling = match membership.statement {
            Statement::Silent => return,
            _ if !signed && self.event.organization.membership_locked => Ruling::Rejected(Reason::Locked, None),
            _ if !signed && self.signed.statement != Statement::Silent => Ruling::Dropped(Reason::Superseded, None),
            Statement::Misfit => Ruling::Rejected(Reason::WrongType, None),
            Statement::Cleared => return self.user.unset(MEMBERSHIP, signed),
            Statement::Listed => return self.emptied = true,
        };
        self.refusals.refuse_membership(Owner::default(), ruling);
    }

    /// Whether the user belongs to this company, and whether that is proven.
    fn membership(&mut self, said: Said<'a>, position: usize, entry: &Entry<'a>) -> Result<Member<'a>, Ruling<'a>> {
        let id = entry.id.map_err(|reason| Ruling::Rejected(reason, None))?;
        let listed = |entries: &[Entry<'a>]| entries.iter().any(|other| other.id == Ok(id));
        let superseded = Err(Ruling::Dropped(Reason::Superseded, None));
        let signed = said.signed;
        if listed(said.membership.entries.get(..position).unwrap_or_default()) {
            return superseded;
        }
        if signed {
            return Ok(Member { id, verified: true, signed });
        }
        if listed(self.signed.entries) {
            return superseded;
        }
        let verified = self.proven(id, entry).map_err(|reason| Ruling::Rejected(reason, None))?;
        if !verified && self.event.organization.membership_locked {
            return Err(Ruling::Rejected(Reason::Locked, None));
        }
        let cleared = self.signed.statement != Statement::Silent && self.signed.entries.is_empty();
        if cleared { superseded } else { Ok(Member { id, verified, signed }) }
    }

    /// Whether `companyHash` proves the id. A wrong one refuses the company; under `observe` and `off` it counts as none.
    fn proven(&mut self, id: &str, entry: &Entry<'a>) -> Result<bool, Reason> {
        let Some(hash) = entry.hash else { return Ok(false) };
        let found = hash::parse(hash.0).ok_or(Reason::CompanyHashMismatch).and_then(|mac| {
            self.tries.find(id, &mac).map_err(|reason| match reason {
                Reason::HashMismatch => Reason::CompanyHashMismatch,
                other => other,
            })
        });
        match found {
            Ok(_) => Ok(true),
            Err(_) if self.event.organization.enforcement_under(self.context.policy) != Enforcement::Enforced => {
                Ok(false)
            }
            Err(reason) => Err(reason),
        }
    }

    fn accept(&mut self, Member { id, verified, signed }: Member<'a>, entry: &Entry<'a>) {
        let owner = Owner { company: Some(id), position: None };
        let table = &self.event.organization.company_attributes;
        let mut page = Page::new(self.context.arena, entry.attributes.len());
        for Attribute { name, value, shadowed } in entry.attributes.iter().copied() {
            let candidate = Candidate { item: Item { name, value, owner }, signed, beaten: shadowed, table };
            self.refusals.write(&mut page, &candidate, rule(self.context, &candidate));
        }
        let (attributes, unset) = page.close();
        self.accepted.push(Company { id, verified, attributes, unset });
    }

    fn refuse(&mut self, position: usize, entry: &Entry<'a>, ruling: Ruling<'a>) {
        let owner = Owner { company: entry.id.ok(), position: entry.id.is_err().then_some(position) };
        self.refusals.refuse_membership(owner, ruling);
        for Attribute { name, value, .. } in entry.attributes.iter().copied() {
            self.refusals.refuse(Item { name, value, owner }, ruling);
        }
    }
}
