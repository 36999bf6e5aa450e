# frozen_string_literal: true

require 'csv'

module Reports
  # The shelf as a sheet.
  Sheet = lambda do |books|
    CSV.generate { |sheet| books.each { |one| sheet << one.to_a } }
  end
end
