#include "campaign/import.h"

namespace outpace::campaign {

absl::string_view ImportStateName(ImportState state) {
  switch (state) {
    case ImportState::kPublished:
      return "published";
    case ImportState::kUndoing:
      return "undoing";
    case ImportState::kUndone:
      return "undone";
  }
  return "";
}

}  // namespace outpace::campaign
