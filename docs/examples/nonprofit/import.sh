#!/bin/sh
# Imports a folder of NPSP tables (Account.csv, Contact.csv …) in the order of their links.
#
#   sh import.sh FOLDER --tenant SLUG                                 # on the machine itself
#   RAPPORT_URL=… RAPPORT_API_KEY=… sh import.sh FOLDER               # over HTTP
#
# Every row is created, or listed with the reason in the error file the command names.
set -eu
data=$1
shift

# What the system before called the kinds of its accounts.
rapport import "$data/Account_rt_mapping.csv" --object record_type \
  --map record_type_id=external_id --map developer_name=name "$@"

# One column may feed two fields: the record type decides the kind, and is linked to.
rapport import "$data/Account.csv" --object company \
  --map id=external_id --map Name=name \
  --map RecordTypeId=kind --map-value kind:0128A000002hay0QAA=household \
  --map-value kind:0128A000002hay1QAA=organisation \
  --map RecordTypeId=record_type --link-by record_type:external_id \
  --map BillingStreet=billing_address.line1 --map BillingCity=billing_address.city \
  --map BillingState=billing_address.region --map BillingPostalCode=billing_address.postal_code \
  --map BillingCountry=billing_address.country \
  --map npe01__SYSTEM_AccountType__c= --set source_system=npsp "$@"

rapport import "$data/Address__c.csv" --object household_address \
  --map id=external_id --map Household_Account__c=household --link-by household:external_id \
  --map MailingStreet__c=address.line1 --map MailingCity__c=address.city \
  --map MailingState__c=address.region --map MailingPostalCode__c=address.postal_code \
  --map MailingCountry__c=address.country \
  --map Seasonal_Start_Month__c=season_from_month --map Seasonal_Start_Day__c=season_from_day \
  --map Seasonal_End_Month__c=season_until_month --map Seasonal_End_Day__c=season_until_day \
  --set source_system=npsp "$@"

# The primary affiliation becomes the contact's company, and with it an affiliation. Salutations may be new ones.
rapport import "$data/Contact.csv" --object contact \
  --map id=external_id --map Salutation=salutation --options salutation:create \
  --map FirstName=first_name --map LastName=last_name \
  --map Email=email --map Phone=phone --map Title=job_title \
  --map AccountId=household --link-by household:external_id \
  --map Primary_Affiliation__c=company --link-by company:external_id \
  --set source_system=npsp "$@"

rapport import "$data/npe4__Relationship__c.csv" --object contact_relationships \
  --map id=external_id --map npe4__Type__c=kind \
  --map npe4__Contact__c=contact --link-by contact:external_id \
  --map npe4__RelatedContact__c=other_contact --link-by other_contact:external_id \
  --set source_system=npsp "$@"

rapport import "$data/Campaign.csv" --object campaign \
  --map id=external_id --set source_system=npsp "$@"

rapport import "$data/CampaignMember.csv" --object campaign_members \
  --map id=external_id --map CampaignId=campaign --link-by campaign:external_id \
  --map ContactId=contact --link-by contact:external_id \
  --set source_system=npsp "$@"

rapport import "$data/npe03__Recurring_Donation__c.csv" --object recurring_donation \
  --map id=external_id --map Name=name --map npe03__Amount__c=amount \
  --map npe03__Contact__c=contact --link-by contact:external_id \
  --map npe03__Date_Established__c=established_on --map StartDate__c=starts_on \
  --map npe03__Last_Payment_Date__c=last_on --map npe03__Next_Payment_Date__c=next_on \
  --map npe03__Installment_Period__c=period --map Day_of_Month__c=day_of_month \
  --map RecurringType__c=ending --map Status__c=status \
  --map npe03__Open_Ended_Status__c= --map npe03__Schedule_Type__c= \
  --map InstallmentFrequency__c= --map PaymentMethod__c= \
  --set source_system=npsp "$@"

# The donor is left out here: it comes with the primary contact role below.
rapport import "$data/Opportunity.csv" --object deal \
  --map id=external_id --map stage_name=stage --map close_date=close_on \
  --map dont_create_payments=without_payments \
  --map AccountId=company --link-by company:external_id \
  --map npe03__Recurring_Donation__c=recurring_donation --link-by recurring_donation:external_id \
  --map CampaignId=campaign --link-by campaign:external_id \
  --map Primary_Contact__c= --set opened_on= --set source_system=npsp "$@"

rapport import "$data/OpportunityContactRole.csv" --object deal_contact \
  --map id=external_id --map Role=role --map IsPrimary=primary \
  --map OpportunityId=deal --link-by deal:external_id \
  --map ContactId=contact --link-by contact:external_id \
  --set source_system=npsp "$@"

rapport import "$data/Partial_Soft_Credit__c.csv" --object deal_soft_credits \
  --map id=external_id --map Role_Name__c=role --map Amount__c=amount \
  --map Opportunity__c=deal --link-by deal:external_id \
  --map Contact__c=contact --link-by contact:external_id \
  --set source_system=npsp "$@"

rapport import "$data/npe01__OppPayment__c.csv" --object payment \
  --map id=external_id --map npe01__Payment_Amount__c=amount \
  --map npe01__Payment_Date__c=paid_on --map npe01__Scheduled_Date__c=scheduled_on \
  --map npe01__Paid__c=paid --map npe01__Written_Off__c=written_off \
  --map npe01__Opportunity__c=deal --link-by deal:external_id \
  --set source_system=npsp "$@"

rapport import "$data/General_Accounting_Unit__c.csv" --object accounting_unit \
  --map id=external_id --set source_system=npsp "$@"

rapport import "$data/Allocation__c.csv" --object allocation \
  --map id=external_id --map Amount__c=amount --map Percent__c=percent \
  --map Opportunity__c=deal --link-by deal:external_id \
  --map Recurring_Donation__c=recurring_donation --link-by recurring_donation:external_id \
  --map General_Accounting_Unit__c=accounting_unit --link-by accounting_unit:external_id \
  --set source_system=npsp "$@"
