#include "campaign/filter/filter.h"

#include <algorithm>
#include <utility>

#include "campaign/filter/parser.h"
#include "campaign/filter/printer.h"
#include "campaign/filter/program.h"
#include "campaign/filter/resolver.h"
#include "campaign/filter/source_text.h"

namespace outpace::filter {

namespace {

bool UsesToday(const Node& node) {
  return std::any_of(node.values.begin(), node.values.end(),
                     [](const Value& value) { return value.relative; }) ||
         std::any_of(node.children.begin(), node.children.end(), UsesToday);
}

}  // namespace

struct Filter::Impl {
  std::vector<std::string> fields;
  std::vector<std::string> clauses;
  Node tree;
  Program program;
};

absl::StatusOr<Filter> Filter::Parse(absl::string_view text, const FieldTypes& types,
                                     absl::CivilDay today) {
  auto source = SourceText::Read(text);
  if (!source.ok()) return source.status();
  auto tree = ParseTree(*source);
  if (!tree.ok()) return tree.status();
  std::vector<std::string> fields, clauses;
  if (absl::Status s = Resolve(*source, types, today, *tree, fields); !s.ok()) return s;
  const bool several = tree->kind == Node::Kind::kAnd;
  const absl::Span<const Node> parts =
      several ? absl::Span<const Node>(tree->children) : absl::MakeConstSpan(&*tree, 1);
  for (const Node& part : parts) {
    clauses.push_back(std::string(source->Written(part.begin, part.end)));
  }
  Program program(*tree);
  return Filter(std::make_unique<const Impl>(
      Impl{std::move(fields), std::move(clauses), *std::move(tree), std::move(program)}));
}

Filter::Filter(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

const std::vector<std::string>& Filter::fields() const { return impl_->fields; }
const std::vector<std::string>& Filter::clauses() const { return impl_->clauses; }
bool Filter::uses_today() const { return UsesToday(impl_->tree); }

int Filter::DroppedBy(absl::Span<const absl::string_view> values) const {
  return impl_->program.DroppedBy(values);
}
uint64_t Filter::AllDroppedBy(absl::Span<const absl::string_view> values) const {
  return impl_->program.AllDroppedBy(values);
}

std::string Filter::ToString() const { return PrintTree(impl_->tree); }

}  // namespace outpace::filter
