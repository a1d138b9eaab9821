// Lists, and the imports that fill them.

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "campaign/store/codec.h"
#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::Import;
using campaign::List;

// Field numbers on disk. Never change the meaning of one, never use one again.
enum ListField : uint32_t {
  kListId = 1,
  kListName = 2,
  kListCampaign = 3,
  kListActive = 4,
  kListLeads = 5,
  kListDescription = 6,
  kListExpires = 7,
  kListArchived = 8,
  kListLastReset = 9,
};

enum ImportField : uint32_t {
  kImportId = 1,
  kImportList = 2,
  kImportCampaign = 3,
  kImportFile = 4,
  kImportFileBytes = 5,
  kImportContentHash = 6,
  kImportOptions = 7,
  kImportStarted = 8,
  kImportFinished = 9,
  kImportRows = 10,
  kImportAccepted = 11,
  kImportDuplicatesInFile = 12,
  kImportDuplicatesInStore = 13,
  kImportDnc = 14,
  kImportFiltered = 15,
  kImportRejected = 16,
  kImportCode = 17,  // a pair: code, and a varint
  kImportFirstLead = 18,
  kImportStateIs = 19,
  kImportKept = 20,
};

}  // namespace

std::string EncodeList(const List& list) {
  FieldWriter w(kRecordMajor);
  w.Number(kListId, list.id.value());
  w.Text(kListName, list.name);
  w.Text(kListCampaign, list.campaign);
  w.NumberAlways(kListActive, list.active ? 1 : 0);
  w.Signed(kListLeads, list.leads);
  w.Text(kListDescription, list.description);
  if (list.expires != absl::InfiniteFuture()) {
    w.NumberAlways(kListExpires, ZigZag(MicrosOf(list.expires)));
  }
  w.Number(kListArchived, list.archived ? 1 : 0);
  WriteTime(w, kListLastReset, list.last_reset);
  return std::move(w).Finish();
}

absl::StatusOr<List> DecodeList(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  List list;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kListId:
        list.id = ListId(reader.Number(f));
        break;
      case kListName:
        list.name = reader.Text(f);
        break;
      case kListCampaign:
        list.campaign = reader.Text(f);
        break;
      case kListActive:
        list.active = ReadBool(reader, f);
        break;
      case kListLeads:
        list.leads = reader.Signed(f);
        break;
      case kListDescription:
        list.description = reader.Text(f);
        break;
      case kListExpires:
        list.expires = ReadTime(reader, f);
        break;
      case kListArchived:
        list.archived = ReadBool(reader, f);
        break;
      case kListLastReset:
        list.last_reset = ReadTime(reader, f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return list;
}

std::string EncodeImport(const Import& import) {
  FieldWriter w(kRecordMajor);
  w.Number(kImportId, import.id.value());
  w.Number(kImportList, import.list.value());
  w.Text(kImportCampaign, import.campaign);
  w.Text(kImportFile, import.file);
  w.Number(kImportFileBytes, import.file_bytes);
  w.Text(kImportContentHash, import.content_hash);
  w.Text(kImportOptions, import.options);
  WriteTime(w, kImportStarted, import.started);
  WriteTime(w, kImportFinished, import.finished);
  const campaign::ImportCounts& counts = import.counts;
  w.Number(kImportRows, counts.rows);
  w.Number(kImportAccepted, counts.accepted);
  w.Number(kImportDuplicatesInFile, counts.duplicates_in_file);
  w.Number(kImportDuplicatesInStore, counts.duplicates_in_store);
  w.Number(kImportDnc, counts.dnc);
  w.Number(kImportFiltered, counts.filtered);
  w.Number(kImportRejected, counts.rejected);
  for (const auto& [code, count] : import.by_code) {
    std::string number;
    AppendVarint(count, number);
    w.Pair(kImportCode, code, number);
  }
  w.Number(kImportFirstLead, import.first_lead.value());
  w.Number(kImportStateIs, static_cast<uint64_t>(import.state));
  w.Number(kImportKept, import.kept);
  return std::move(w).Finish();
}

absl::StatusOr<Import> DecodeImport(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  Import import;
  import.started = import.finished = absl::InfinitePast();
  campaign::ImportCounts& counts = import.counts;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kImportId:
        import.id = ImportId(reader.Number(f));
        break;
      case kImportList:
        import.list = ListId(reader.Number(f));
        break;
      case kImportCampaign:
        import.campaign = reader.Text(f);
        break;
      case kImportFile:
        import.file = reader.Text(f);
        break;
      case kImportFileBytes:
        import.file_bytes = reader.Number(f);
        break;
      case kImportContentHash:
        import.content_hash = reader.Text(f);
        break;
      case kImportOptions:
        import.options = reader.Text(f);
        break;
      case kImportStarted:
        import.started = ReadTime(reader, f);
        break;
      case kImportFinished:
        import.finished = ReadTime(reader, f);
        break;
      case kImportRows:
        counts.rows = reader.Number(f);
        break;
      case kImportAccepted:
        counts.accepted = reader.Number(f);
        break;
      case kImportDuplicatesInFile:
        counts.duplicates_in_file = reader.Number(f);
        break;
      case kImportDuplicatesInStore:
        counts.duplicates_in_store = reader.Number(f);
        break;
      case kImportDnc:
        counts.dnc = reader.Number(f);
        break;
      case kImportFiltered:
        counts.filtered = reader.Number(f);
        break;
      case kImportRejected:
        counts.rejected = reader.Number(f);
        break;
      case kImportCode: {
        std::string code, number;
        if (!reader.Pair(f, code, number)) break;
        absl::string_view rest = number;
        if (!TakeVarint(rest, import.by_code[code]) || !rest.empty()) reader.Fail("a count");
        break;
      }
      case kImportFirstLead:
        import.first_lead = LeadId(reader.Number(f));
        break;
      case kImportStateIs:
        import.state = static_cast<campaign::ImportState>(
            reader.Number(f, static_cast<uint64_t>(campaign::ImportState::kUndone)));
        break;
      case kImportKept:
        import.kept = reader.Number(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return import;
}

}  // namespace outpace::store
