# frozen_string_literal: true

require 'sqlite3'

module Reports
  # The oldest book, found by a database in memory.
  Store = lambda do |books|
    store = SQLite3::Database.new(':memory:')
    store.execute('create table books (title, author, year)')
    books.each { |one| store.execute('insert into books values (?, ?, ?)', one.to_a) }
    store.get_first_value("select 'oldest: ' || title from books order by year limit 1")
  end
end
