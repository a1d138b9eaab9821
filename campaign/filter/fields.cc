#include "campaign/filter/filter.h"

namespace outpace::filter {

const FieldTypes& StandardFields() {
  using enum campaign::FieldType;
  static const FieldTypes kFields = {
      // Of VICIdial's list files.
      {"lead_id", kNumber},
      {"entry_date", kDate},
      {"status", kText},
      {"vendor_lead_code", kText},
      {"source_id", kText},
      {"list_id", kNumber},
      {"phone_code", kText},
      {"phone_number", kText},
      {"title", kText},
      {"first_name", kText},
      {"middle_initial", kText},
      {"last_name", kText},
      {"address1", kText},
      {"address2", kText},
      {"address3", kText},
      {"city", kText},
      {"state", kText},
      {"province", kText},
      {"postal_code", kText},
      {"country_code", kText},
      {"gender", kText},
      {"date_of_birth", kDate},
      {"alt_phone", kText},
      {"email", kText},
      {"security_phrase", kText},
      {"comments", kText},
      {"called_count", kNumber},
      {"last_local_call_time", kDate},
      {"rank", kNumber},
      {"owner", kText},
      // Of other list files.
      {"name", kText},
      {"company", kText},
      {"time_zone", kText},
      {"max_attempts", kNumber},
      // Ours.
      {"tier", kText},
      {"number_type", kText},
      {"number_region", kText},
      {"number_area", kText},
      {"number_city", kText},
      {"number_carrier", kText},
  };
  return kFields;
}

}  // namespace outpace::filter
