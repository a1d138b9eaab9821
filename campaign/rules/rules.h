#pragma once

// What the gate and others need of the rules of jurisdictions:
//
//   const auto set = rules::RuleSet::Combine(book, settings.compliance);   // when settings change
//   const auto window = set->CheckWindow(now, zones, places);              // at each attempt
//   const auto caps = set->CheckCaps(history, now, campaign, zones, places);
//
// rule_set.h has the questions, rule_book.h where the rules come from, rule.h what one is.

#include "campaign/rules/rule_book.h"
#include "campaign/rules/rule_set.h"
